/** A filter of one's own for `custom-filter.ts`: every request belongs to a tenant, whose data has a path of its own. */
import { defineFilter } from '@evenkeel/proxy/filter';

interface TenantOptions {
  readonly header: string;
  readonly tenants: readonly string[];
}

export const createFilter = defineFilter<TenantOptions>(({ header, tenants }) => {
  let refusedCount = 0;
  return {
    name: 'tenant',
    onRequest(request) {
      const tenant = request.header(header);
      if (tenant === undefined || !tenants.includes(tenant)) {
        refusedCount++;
        return { status: 403, body: `no such tenant: ${tenant ?? 'none'}\n`, reason: 'no-tenant' };
      }
      request.setTarget(`/${tenant}${request.path}${request.search}`);
      return undefined;
    },
    onResponse(response) {
      response.headers.set('x-served-for', 'tenant');
    },
    status: () => ({ refusedCount }),
  };
});
