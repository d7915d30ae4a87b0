/** Renders the reference of a cluster's options from its two JSON Schemas, so that it cannot differ from the code. */
import type { SchemaNode } from './schema-node.ts';
import { type Forms, type Section, sectionsAt } from './sections.ts';
import { code, valueText } from './value-text.ts';

const INTRODUCTION = `<!-- Written by scripts/generate-config-reference.ts from the schemas. Do not edit. -->

# Options of a cluster

What \`createCluster\` takes, and what a file holds for \`decodeClusterFile\`. Both use the same words. In files a duration
loses its \`Ms\` and says its unit: \`intervalMs: 5000\` in code is \`interval: 5s\` in a file. The units are \`h\`, \`m\`, \`s\`
and \`ms\`, from large to small and each at most once: \`1m30s\`, \`0.5s\`. A bare number is refused.

Unknown options are errors, everywhere. An error names the place, what is allowed there and what was found; all errors of
a configuration are told at once. \`clusterJsonSchema({ form: 'file' })\` says the same to editors.
`;

/** What a page is about. */
export interface Page {
  readonly introduction: string;
  /** Heading of the options that everything else is below. */
  readonly title: string;
  /** Sections that another page describes, and what to say instead. */
  readonly elsewhere?: Readonly<Record<string, string>>;
}

const CLUSTER_PAGE: Page = { introduction: INTRODUCTION, title: 'A cluster' };

/** @returns the whole page */
export function renderReference(roots: Forms, page: Page = CLUSTER_PAGE): string {
  const { introduction, title, elsewhere = {} } = page;
  const pending: Section[] = [{ title, path: '', alternatives: [roots] }];
  const written = new Set<string>();
  const parts = [introduction];
  for (let section = pending.shift(); section !== undefined; section = pending.shift()) {
    if (written.has(section.title)) continue;
    written.add(section.title);
    const instead = elsewhere[section.title];
    if (instead !== undefined) {
      parts.push(`## ${section.title}\n\n${instead}\n`);
      continue;
    }
    const options = optionsOf(section);
    parts.push(renderSection(section, options, roots));
    // Depth first: what belongs together stands together.
    pending.unshift(...options.flatMap(({ path, node }) => sectionsAt(path, node, roots)));
  }
  return parts.join('\n');
}

interface SectionOption {
  readonly path: string;
  readonly name: string;
  /** Undefined for what only code can express. */
  readonly fileName: string | undefined;
  readonly node: Forms;
  readonly required: boolean;
}

/** The options of all alternatives of a section; the name of a policy is left out, it is the heading. */
function optionsOf({ path, alternatives }: Section): SectionOption[] {
  return alternatives.flatMap((forms) => {
    const inFile = forms.file.properties ?? {};
    return Object.entries(forms.code.properties ?? {}).flatMap(([name, node]) => {
      if (name === 'name' && node.const !== undefined) return [];
      const withoutUnit = name.replace(/Ms$/, '');
      const fileName = [name, withoutUnit].find((known) => inFile[known] !== undefined);
      const fileNode = fileName === undefined ? node : (inFile[fileName] ?? node);
      const required = alternatives.length === 1 && forms.code.required?.includes(name) === true;
      return [
        {
          path: placeBelow(path, name),
          name,
          fileName,
          node: { code: node, file: fileNode },
          required,
        },
      ];
    });
  });
}

function placeBelow(path: string, name: string): string {
  return path === '' || path.endsWith(': ') ? `${path}${name}` : `${path}.${name}`;
}

function renderSection(section: Section, options: readonly SectionOption[], roots: Forms): string {
  const lines = [`## ${section.title}`, ''];
  const about = section.alternatives[0]?.code.description;
  if (section.path.endsWith(': ') && about !== undefined) lines.push(about, '');
  if (section.alternatives.length > 1) lines.push('Exactly one of these.', '');
  if (options.length === 0) lines.push('No options.');
  else {
    lines.push(
      '| option | in a file | value | default | meaning |',
      '| --- | --- | --- | --- | --- |',
    );
    lines.push(...options.map((option) => renderOption(option, roots)));
  }
  return `${lines.join('\n')}\n`;
}

function renderOption(option: SectionOption, roots: Forms): string {
  const { name, fileName, node, required, path } = option;
  const cells = [
    `\`${name}\``,
    fileName === undefined ? 'in code only' : name === fileName ? '' : `\`${fileName}\``,
    valueText({ path, node, roots }),
    required ? 'required' : defaultText(node.code, node.file),
    node.code.description ?? '',
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function defaultText({ default: inCode }: SchemaNode, { default: inFile }: SchemaNode): string {
  // That an object may be left out is said by the defaults in it.
  if (inCode === undefined || JSON.stringify(inCode) === '{}') return '';
  return inCode === inFile || typeof inCode === 'object'
    ? code(inCode)
    : `${code(inCode)}, \`${String(inFile)}\``;
}
