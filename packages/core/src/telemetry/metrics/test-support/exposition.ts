/** A metric as it stands in Prometheus' text format. */
export interface ExposedFamily {
  readonly name: string;
  help: string;
  type: string;
  readonly samples: Map<string, number>;
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{.*\})? (\S+)$/;

/** Reads the text format (https://prometheus.io/docs/instrumenting/exposition_formats/), strictly. */
export function parseExposition(text: string): Map<string, ExposedFamily> {
  const families = new Map<string, ExposedFamily>();
  let current: ExposedFamily | undefined;
  for (const line of text.split('\n')) {
    if (line === '' || line === '# EOF') continue;
    const comment = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line);
    if (comment !== null) {
      const [, keyword, name = '', rest = ''] = comment;
      current = families.get(name) ?? { name, help: '', type: '', samples: new Map() };
      families.set(name, current);
      if (keyword === 'HELP') current.help = rest;
      else current.type = rest;
      continue;
    }
    const sample = SAMPLE.exec(line);
    if (sample === null || current === undefined) throw new Error(`not a sample: ${line}`);
    const [, name = '', labels = '', value] = sample;
    if (!name.startsWith(current.name)) throw new Error(`${name} stands under ${current.name}`);
    const key = `${name}${labels}`;
    if (current.samples.has(key)) throw new Error(`twice: ${key}`);
    current.samples.set(key, Number(value));
  }
  return families;
}

/** All samples by name and labels. */
export function samplesOf(text: string): Map<string, number> {
  return new Map([...parseExposition(text).values()].flatMap(({ samples }) => [...samples]));
}
