#!/usr/bin/env node
import { runCommand } from '@evenkeel/bpf/build';

process.exitCode = runCommand(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  error: (text) => process.stderr.write(text),
});
