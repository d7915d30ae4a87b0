import type { RegistryName } from './registry.ts';

/** What is measured: this library, or the plain client of the registry. */
export type ContenderName = 'evenkeel' | 'plain';

/** Somebody who follows the registry. */
export interface Subject {
  /** May the endpoint be sent requests? */
  has(id: string): boolean;
  size(): number;
}

export interface SubjectOptions {
  readonly registry: RegistryName;
  readonly port: number;
  /** Called whenever what is followed has changed. */
  readonly onChange: () => void;
}
