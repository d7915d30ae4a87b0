import { defineConfig } from 'tsup';
import { packageBuild } from '../../scripts/build/tsup-preset.ts';

export default defineConfig(packageBuild(import.meta.dirname));
