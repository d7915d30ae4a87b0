import { defineConfig } from 'tsup';
import { packageBuild } from '../../scripts/build/tsup-preset.ts';

// The build tool looks for its header beside itself: `shims` gives `import.meta.url` a meaning in CommonJS.
export default defineConfig(
  packageBuild(import.meta.dirname).map((options) => ({ ...options, shims: true })),
);
