/** `@evenkeel/proxy/tracing`: spans of OpenTelemetry for a proxy; needs the package `@opentelemetry/api`. */
export { openTelemetry, type OpenTelemetryOptions } from './open-telemetry.ts';
