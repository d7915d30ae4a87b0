/** All kinds of filters, by their names in configurations. */
import { bandwidthKind, type BandwidthOptions } from './bandwidth/bandwidth.ts';
import { basicAuthKind } from './basic-auth/basic-auth.ts';
import type { BasicAuthOptions } from './basic-auth/schema.ts';
import { bodyLimitKind, type BodyLimitOptions } from './body-limit/body-limit.ts';
import { compressionKind } from './compression/compression.ts';
import type { CompressionOptions } from './compression/schema.ts';
import { corsKind } from './cors/cors.ts';
import type { CorsOptions } from './cors/schema.ts';
import { externalAuthorizationKind } from './external-authorization/external-authorization.ts';
import type { ExternalAuthorizationOptions } from './external-authorization/schema.ts';
import type { FilterKind } from './filter-kind.ts';
import { headersKind } from './headers/headers.ts';
import type { HeadersOptions } from './headers/schema.ts';
import { ipAccessKind } from './ip-access/ip-access.ts';
import type { IpAccessOptions } from './ip-access/schema.ts';
import { jwtKind } from './jwt/jwt.ts';
import type { JwtOptions } from './jwt/schema.ts';
import { moduleKind } from './module/module-filter.ts';
import type { ModuleOptions } from './module/schema.ts';
import { rateLimitKind } from './rate-limit/rate-limit.ts';
import type { RateLimitFilterOptions } from './rate-limit/schema.ts';
import { tarpitKind, type TarpitOptions } from './tarpit/tarpit.ts';

/** What each kind is given. */
export interface FilterOptionsByKind {
  readonly bandwidth: BandwidthOptions;
  readonly basicAuth: BasicAuthOptions;
  readonly bodyLimit: BodyLimitOptions;
  readonly compression: CompressionOptions;
  readonly cors: CorsOptions;
  readonly externalAuthorization: ExternalAuthorizationOptions;
  readonly headers: HeadersOptions;
  readonly ipAccess: IpAccessOptions;
  readonly jwt: JwtOptions;
  readonly module: ModuleOptions;
  readonly rateLimit: RateLimitFilterOptions;
  readonly tarpit: TarpitOptions;
}

export type FilterKindName = keyof FilterOptionsByKind;

export const FILTER_KINDS: { readonly [Name in FilterKindName]: FilterKind } = {
  bandwidth: bandwidthKind,
  basicAuth: basicAuthKind,
  bodyLimit: bodyLimitKind,
  compression: compressionKind,
  cors: corsKind,
  externalAuthorization: externalAuthorizationKind,
  headers: headersKind,
  ipAccess: ipAccessKind,
  jwt: jwtKind,
  module: moduleKind,
  rateLimit: rateLimitKind,
  tarpit: tarpitKind,
};

export const FILTER_KIND_NAMES: readonly FilterKindName[] = Object.keys(
  FILTER_KINDS,
) as FilterKindName[];
