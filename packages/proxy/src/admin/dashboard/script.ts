/**
 * What the page does, as plain JavaScript for the browser: asks for the overview every second, and shows rates as the
 * difference of two looks. Everything from outside is set as text, never as markup.
 */
export const SCRIPT: string = String.raw`'use strict';
(() => {
  const EVERY_MS = 1000;
  const POINTS = 300;
  const byId = (id) => document.getElementById(id);
  const rates = [];
  const latencies = [];
  const states = new Map();
  let before;

  function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name === 'onclick') element.addEventListener('click', value);
      else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : value);
    }
    element.append(...children.map((child) => (child instanceof Node ? child : String(child ?? ''))));
    return element;
  }

  async function call(path, options) {
    const token = sessionStorage.getItem('token');
    const headers = { ...(options && options.body ? { 'content-type': 'application/json' } : {}) };
    if (token) headers.authorization = 'Bearer ' + token;
    const response = await fetch(path, { ...options, headers, signal: AbortSignal.timeout(5000) });
    if (response.status === 401) {
      byId('login').hidden = false;
      throw new Error('a token is needed');
    }
    const body = await response.json();
    if (!response.ok) throw new Error(body.error || response.statusText);
    return body;
  }

  const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
  const number = (value, digits) =>
    value === undefined || Number.isNaN(value) ? '–' : value.toLocaleString('en', { maximumFractionDigits: digits ?? 0 });
  function bytes(value) {
    const units = ['B', 'KB', 'MB', 'GB', 'TB'];
    let at = 0;
    while (value >= 1000 && at < units.length - 1) { value /= 1000; at++; }
    return number(value, value < 10 && at > 0 ? 1 : 0) + ' ' + units[at];
  }

  /** A quantile out of a histogram: within a bucket it is taken to be even. */
  function quantile(bounds, counts, share) {
    const total = sum(counts);
    if (total === 0) return undefined;
    let rest = total * share;
    for (let at = 0; at < counts.length; at++) {
      if (rest > counts[at]) { rest -= counts[at]; continue; }
      const low = at === 0 ? 0 : bounds[at - 1];
      const high = at < bounds.length ? bounds[at] : low;
      return low + (high - low) * (rest / counts[at]);
    }
    return bounds.at(-1);
  }

  const keyOf = (route) => route.route + '\n' + route.cluster;

  /** What has been counted since the look before. */
  function since(now, seconds) {
    const old = new Map((before ? before.routes : []).map((route) => [keyOf(route), route]));
    return now.routes.map((route) => {
      const last = old.get(keyOf(route));
      const less = (list, lastList) => list.map((value, at) => Math.max(0, value - (lastList ? lastList[at] : value)));
      const statuses = less(route.statusCounts, last && last.statusCounts);
      const counts = less(route.latencyCounts, last && last.latencyCounts);
      return {
        route, statuses, counts,
        rate: sum(statuses) / seconds,
        errorRate: (statuses[0] + statuses[5]) / seconds,
        bytesRate: last ? (route.bytesOut - last.bytesOut) / seconds : 0,
      };
    });
  }

  function table(id, head, rows, empty) {
    const element = byId(id);
    const cells = (kind, row) => row.map((cell) => {
      const isNumber = cell && cell.number !== undefined;
      const content = isNumber ? cell.number : cell && cell.wide !== undefined ? cell.wide : cell;
      return make(kind, { class: isNumber ? 'number' : cell && cell.wide !== undefined ? 'wide' : undefined }, content);
    });
    element.replaceChildren(
      make('thead', {}, make('tr', {}, ...cells('th', head))),
      make('tbody', {}, ...(rows.length > 0 ? rows.map((row) => make('tr', {}, ...cells('td', row)))
        : [make('tr', {}, make('td', { colspan: String(head.length), class: 'quiet' }, empty))])),
    );
  }

  function chart(id, series) {
    const element = byId(id);
    const peak = Math.max(1e-9, ...series.flatMap(({ values }) => values.filter((value) => value !== undefined)));
    const paths = [];
    for (const { values, name } of series) {
      const start = POINTS - values.length;
      const points = values.map((value, at) => [start + at, value === undefined ? undefined : 78 - (value / peak) * 74])
        .filter(([, y]) => y !== undefined);
      if (points.length === 0) continue;
      const line = points.map(([x, y], at) => (at === 0 ? 'M' : 'L') + x + ' ' + y.toFixed(1)).join('');
      if (name === 'line') paths.push(['area', line + 'L' + points.at(-1)[0] + ' 80L' + points[0][0] + ' 80Z']);
      paths.push([name, line]);
    }
    element.replaceChildren(...paths.map(([name, d]) => {
      const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
      path.setAttribute('class', name);
      path.setAttribute('d', d);
      return path;
    }));
    const figure = element.parentElement;
    let label = figure.querySelector('.peak');
    if (!label) { label = make('span', { class: 'peak' }); figure.append(label); }
    label.textContent = 'peak ' + number(peak < 1e-6 ? 0 : peak, peak < 10 ? 1 : 0);
  }

  function tile(value, label, kind) {
    return make('div', { class: 'tile' }, make('b', { class: kind }, value), make('span', {}, label));
  }

  const STATE_KINDS = { healthy: 'good', degraded: 'warn', draining: 'warn', unchecked: 'warn', 'circuit-open': 'bad', unhealthy: 'bad', ejected: 'bad', disabled: '' };
  const badge = (text, kind) => make('span', { class: 'badge ' + (kind ?? '') }, text);

  function changeEndpoint(cluster, id, change) {
    const path = '/api/clusters/' + encodeURIComponent(cluster) + '/endpoints/' + encodeURIComponent(id);
    call(path, { method: 'PATCH', body: JSON.stringify(change) }).then(look, (error) => note(error.message, 'bad'));
  }

  function showClusters(clusters) {
    const openBefore = new Map((before ? before.clusters : []).map((cluster) => [cluster.name, cluster]));
    byId('clusters').replaceChildren(...(clusters.length === 0 ? [make('p', { class: 'quiet' }, 'none')] : clusters.map((cluster) => {
      const last = openBefore.get(cluster.name);
      const startedBefore = new Map((last ? last.endpoints : []).map(({ id, startedCount }) => [id, startedCount]));
      const started = cluster.endpoints.map(({ id, startedCount }) => Math.max(0, startedCount - (startedBefore.get(id) ?? startedCount)));
      const total = Math.max(1, sum(started));
      const rows = cluster.endpoints.slice(0, 200).map((endpoint, at) => {
        const bar = make('i', {});
        bar.style.width = (100 * started[at] / total).toFixed(1) + '%';
        const failed = sum(Object.entries(endpoint.outcomes).filter(([name]) => name !== 'success' && name !== 'cancelled').map(([, count]) => count));
        const isOff = endpoint.state === 'disabled';
        return make('tr', {},
          make('td', {}, endpoint.id),
          make('td', {}, badge(endpoint.state, STATE_KINDS[endpoint.state])),
          make('td', { class: 'number' }, number(endpoint.weight) + (endpoint.weightFactor === 1 ? '' : ' × ' + number(endpoint.weightFactor, 2))),
          make('td', {}, make('span', { class: 'bar' }, bar), ' ' + number(100 * started[at] / total) + ' %'),
          make('td', { class: 'number' }, number(endpoint.activeCount)),
          make('td', { class: 'number' }, number(endpoint.startedCount)),
          make('td', { class: 'number' + (failed > 0 ? ' warn' : '') }, number(failed)),
          make('td', { class: 'wide' }, endpoint.reason),
          make('td', {}, make('button', { onclick: () => changeEndpoint(cluster.name, endpoint.id, { enabled: isOff }) }, isOff ? 'enable' : 'disable')));
      });
      const head = ['endpoint', 'state', 'weight', 'share now', 'active', 'requests', 'failed', 'why', ''];
      const numbers = new Set(['weight', 'active', 'requests', 'failed']);
      const more = cluster.endpoints.length > 200 ? ', 200 shown' : '';
      return make('div', { class: 'cluster' },
        make('header', {}, make('b', {}, cluster.name), badge(cluster.policy),
          cluster.isInPanic ? badge('panic', 'bad') : cluster.isReady ? badge(cluster.healthyCount + ' of ' + cluster.endpoints.length + ' healthy' + more, cluster.healthyCount === cluster.endpoints.length ? 'good' : 'warn') : badge('not ready', 'bad'),
          make('span', { class: 'quiet' }, cluster.discovery.kind + ' ' + (cluster.discovery.source ?? '') + (cluster.discovery.lastError ? ': ' + cluster.discovery.lastError : ''))),
        make('div', { class: 'scroll' }, make('table', {},
          make('thead', {}, make('tr', {}, ...head.map((text) => make('th', { class: numbers.has(text) ? 'number' : undefined }, text)))),
          make('tbody', {}, ...rows))));
    })));
  }

  function note(text, kind) {
    const list = byId('changes');
    const time = new Date().toLocaleTimeString('en-GB');
    list.prepend(make('li', {}, make('time', {}, time), make('span', { class: kind }, text)));
    while (list.children.length > 50) list.lastChild.remove();
  }

  function noteChanges(clusters) {
    const seen = new Set();
    for (const cluster of clusters) for (const { id, state, reason } of cluster.endpoints) {
      const key = cluster.name + ' ' + id;
      const last = states.get(key);
      seen.add(key);
      if (last === undefined && before) note(key + ' has come', 'good');
      else if (last !== undefined && last !== state) note(key + ': ' + last + ' → ' + state + ', ' + reason, STATE_KINDS[state]);
      states.set(key, state);
    }
    for (const key of [...states.keys()]) if (!seen.has(key)) { states.delete(key); note(key + ' has left', 'warn'); }
  }

  function show(now) {
    const seconds = before ? Math.max(0.2, (now.at - before.at) / 1000) : 1;
    const routes = since(now, seconds);
    const bounds = now.routes[0] ? now.routes[0].latencyBoundsMs : [];
    const counts = bounds.concat(0).map((_, at) => sum(routes.map((route) => route.counts[at])));
    const rate = sum(routes.map((route) => route.rate));
    const errors = sum(routes.map((route) => route.errorRate));
    const p50 = quantile(bounds, counts, 0.5);
    const p99 = quantile(bounds, counts, 0.99);
    if (before) {
      rates.push(rate);
      latencies.push([p50, p99]);
      if (rates.length > POINTS) { rates.shift(); latencies.shift(); }
    }
    const active = sum(now.routes.map((route) => route.activeCount));
    const errorShare = rate > 0 ? (100 * errors) / rate : 0;
    byId('tiles').replaceChildren(
      tile(number(rate, rate < 10 ? 1 : 0), 'requests per second'),
      tile(p50 === undefined ? '–' : number(p50, 1) + ' ms', 'half are faster'),
      tile(p99 === undefined ? '–' : number(p99, 1) + ' ms', '99 % are faster'),
      tile(number(errorShare, 2) + ' %', 'failed (5xx, broken off)', errorShare > 1 ? 'bad' : errorShare > 0 ? 'warn' : ''),
      tile(number(active), 'requests under way'),
      tile(number(now.clientCount), 'connections of clients'),
      tile(number(now.upstreamCount), 'to endpoints, ' + number(now.idleUpstreamCount) + ' idle'),
      tile(number(now.tcp.activeCount + now.udp.activeCount), 'TCP connections, UDP sessions'));
    chart('chart-rate', [{ values: rates, name: 'line' }]);
    chart('chart-latency', [{ values: latencies.map(([low]) => low), name: 'line' }, { values: latencies.map(([, high]) => high), name: 'second' }]);
    table('routes', ['route', 'cluster', { number: 'requests/s' }, { number: 'p99 ms' }, { number: 'failed/s' }, { number: 'active' }, { number: 'requests' }, { number: 'retries' }, { number: 'sent/s' }],
      routes.filter(({ route }) => route.route !== '' || sum(route.statusCounts) > 0).map(({ route, rate: each, errorRate, counts: own, bytesRate }) => [
        route.route || '(none)', route.cluster,
        { number: number(each, each < 10 ? 1 : 0) }, { number: number(quantile(bounds, own, 0.99), 1) }, { number: number(errorRate, 1) },
        { number: number(route.activeCount) }, { number: number(sum(route.statusCounts)) }, { number: number(route.retryCount) }, { number: bytes(bytesRate) },
      ]), 'no routes');
    showClusters(now.clusters);
    table('listeners', ['listens on', 'for', ''], now.listeners.map((listener) => [
      listener.address ? listener.address.host + ':' + listener.address.port : listener.listen,
      listener.kinds.join(', '), badge(listener.isSecure ? 'TLS' : 'clear text', listener.isSecure ? 'good' : ''),
    ]), 'none');
    table('certificates', ['names', 'valid until'], now.certificates.map((certificate) => {
      const days = (Date.parse(certificate.validTo) - Date.now()) / 86400000;
      return [{ wide: certificate.names.join(', ') }, make('span', { class: days < 0 ? 'bad' : days < 14 ? 'warn' : '' }, certificate.validTo.slice(0, 10))];
    }), 'none');
    noteChanges(now.clusters);
    const state = byId('state');
    const broken = now.file && now.file.lastError;
    state.textContent = now.isDraining ? 'draining' : broken ? 'new file refused' : 'serving';
    state.className = 'badge ' + (now.isDraining || broken ? 'warn' : 'good');
    state.title = broken || '';
    byId('since').textContent = now.file ? now.file.path + ', generation ' + now.file.generation : '';
    before = now;
  }

  let looking = false;
  async function look() {
    if (looking) return;
    looking = true;
    try {
      const now = await call('/api/overview');
      now.at = Date.now();
      byId('login').hidden = true;
      show(now);
    } catch (error) {
      const state = byId('state');
      state.textContent = error.message === 'a token is needed' ? error.message : 'no answer';
      state.className = 'badge bad';
    } finally {
      looking = false;
    }
  }

  byId('login').addEventListener('submit', (event) => {
    event.preventDefault();
    sessionStorage.setItem('token', byId('token').value);
    look();
  });
  byId('explain').addEventListener('submit', async (event) => {
    event.preventDefault();
    const headers = Object.fromEntries(byId('explain-headers').value.split(';').map((part) => part.split(/:(.*)/s).map((text) => (text ?? '').trim())).filter(([name]) => name !== ''));
    const request = { method: byId('explain-method').value, host: byId('explain-host').value, path: byId('explain-path').value || '/', headers };
    const shown = byId('explanation');
    shown.hidden = false;
    try {
      const { route, reason, filters, pick } = await call('/api/explain', { method: 'POST', body: JSON.stringify(request) });
      const lines = ['route    ' + (route ?? 'none'), 'why      ' + reason];
      if (filters.length > 0) lines.push('filters  ' + filters.join(', '));
      if (pick) for (const step of pick.path) lines.push('  ' + step.step.padEnd(10) + ' ' + step.choice + ': ' + step.reason);
      if (pick) for (const candidate of pick.candidates.slice(0, 10)) lines.push((candidate.eligible ? '  + ' : '  - ') + candidate.id + '  ' + candidate.state + '  ' + candidate.reason);
      shown.textContent = lines.join('\n');
    } catch (error) {
      shown.textContent = error.message;
    }
  });
  look();
  setInterval(() => { if (!document.hidden) look(); }, EVERY_MS);
})();
`;
