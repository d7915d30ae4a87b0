/** Where an endpoint or a client stands. Every part may be empty: "unknown". */
export interface Locality {
  readonly region: string;
  readonly zone: string;
  readonly subzone: string;
}

/** The locality of an endpoint that names none. */
export const UNKNOWN_LOCALITY: Locality = Object.freeze({ region: '', zone: '', subzone: '' });

/** Fills the parts left out with ''. Returns the shared {@link UNKNOWN_LOCALITY} when nothing is known. */
export function createLocality(parts: Partial<Locality> = {}): Locality {
  const { region = '', zone = '', subzone = '' } = parts;
  return region === '' && zone === '' && subzone === ''
    ? UNKNOWN_LOCALITY
    : Object.freeze({ region, zone, subzone });
}

/** `region/zone/subzone`, trailing empty parts left out; '' when unknown. Fit for a metric label. */
export function formatLocality(locality: Locality): string {
  return `${locality.region}/${locality.zone}/${locality.subzone}`.replace(/\/+$/, '');
}
