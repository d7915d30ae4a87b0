/** The page: its frame, which the script fills. */
export const PAGE: string = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Evenkeel proxy</title>
    <link rel="icon" href="data:," />
    <link rel="stylesheet" href="/style.css" />
  </head>
  <body>
    <header>
      <h1><span class="mark" aria-hidden="true"></span>Evenkeel proxy</h1>
      <span id="state" class="badge">connecting</span>
      <span id="since" class="quiet"></span>
    </header>
    <main>
      <form id="login" hidden>
        <label>Token <input id="token" type="password" autocomplete="off" required /></label>
        <button>Open</button>
      </form>
      <section id="tiles" class="tiles" aria-label="now"></section>
      <section class="charts">
        <figure>
          <figcaption>Requests per second</figcaption>
          <svg id="chart-rate" role="img" aria-label="requests per second" preserveAspectRatio="none" viewBox="0 0 300 80"></svg>
        </figure>
        <figure>
          <figcaption>Latency: p50 and p99 in ms</figcaption>
          <svg id="chart-latency" role="img" aria-label="latency" preserveAspectRatio="none" viewBox="0 0 300 80"></svg>
        </figure>
      </section>
      <section>
        <h2>Routes</h2>
        <div class="scroll"><table id="routes"></table></div>
      </section>
      <section>
        <h2>Clusters</h2>
        <div id="clusters"></div>
      </section>
      <section class="columns">
        <div>
          <h2>Listeners</h2>
          <div class="scroll"><table id="listeners"></table></div>
          <h2>Certificates</h2>
          <div class="scroll"><table id="certificates"></table></div>
        </div>
        <div>
          <h2>What has changed</h2>
          <ol id="changes" class="changes"></ol>
        </div>
      </section>
      <section>
        <h2>Where would this request go?</h2>
        <form id="explain" class="explain">
          <select id="explain-method" aria-label="method">
            <option>GET</option><option>POST</option><option>PUT</option><option>DELETE</option>
          </select>
          <input id="explain-host" placeholder="host" aria-label="host" />
          <input id="explain-path" value="/" aria-label="path" />
          <input id="explain-headers" placeholder="x-user: 42; cookie: a=b" aria-label="headers" />
          <button>Explain</button>
        </form>
        <pre id="explanation" hidden></pre>
      </section>
    </main>
    <noscript><p class="bad">This page needs JavaScript; the API is under /api/.</p></noscript>
    <script src="/script.js"></script>
  </body>
</html>
`;
