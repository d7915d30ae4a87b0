/** `@evenkeel/bpf/build`: what the command `evenkeel-bpf` does, for build scripts. */
export { type BuildOptions, type BuildResult, buildObject, staleReason } from './build.ts';
export { type Output, runCommand } from './command.ts';
export type { InputFile } from './module-source.ts';
