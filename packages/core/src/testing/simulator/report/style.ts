/** Colours of lines, told apart also by people who do not see red and green (after Okabe and Ito, 2008). */
const LIGHT = [
  '#0072b2',
  '#d55e00',
  '#009e73',
  '#a14f86',
  '#b8860b',
  '#3aa0d8',
  '#5b5b5b',
  '#7f3fbf',
];
const DARK = [
  '#56a8e0',
  '#f08a4b',
  '#3cc99d',
  '#d88bbf',
  '#e3b341',
  '#8fd0f5',
  '#b0b0b0',
  '#b18be8',
];

/** How many there are; more series than that begin again, dashed. */
export const COLOUR_COUNT: number = LIGHT.length;

function lineRules(colours: readonly string[]): string {
  return colours.map((colour, index) => `.c${index}{--c:${colour}}`).join('');
}

/** The whole style of a report: no font, script or picture is fetched from anywhere. */
export const STYLE: string = `
:root{--ink:#1c2430;--soft:#5d6877;--line:#e3e7ec;--page:#fff;--card:#f7f9fb;--band:rgba(213,94,0,.09);--band-ink:#a54a05;--best:rgba(0,158,115,.14)}
${lineRules(LIGHT)}
@media (prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#98a3b3;--line:#2b3340;--page:#12161c;--card:#191f27;--band:rgba(240,138,75,.13);--band-ink:#f0a06b;--best:rgba(60,201,157,.18)}${lineRules(DARK)}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1060px;margin:0 auto;padding:36px 24px 60px}
h1{font-size:27px;margin:0 0 4px;letter-spacing:-.01em}
h2{font-size:20px;margin:44px 0 2px}
h3{font-size:15px;margin:26px 0 2px}
p{margin:2px 0 14px;color:var(--soft);max-width:78ch}
.facts{display:flex;flex-wrap:wrap;gap:8px 28px;margin:12px 0 18px;padding:0;list-style:none}
.facts li{display:flex;flex-direction:column}
.facts b{font-size:18px;font-weight:600;font-variant-numeric:tabular-nums}
.facts span{color:var(--soft);font-size:12.5px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:6px 10px;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th{font-weight:600;font-size:12.5px;color:var(--soft)}
th:first-child,td:first-child{text-align:left}
td.best{background:var(--best)}
.swatch{display:inline-block;width:22px;height:0;border-top:3px solid var(--c);margin-right:9px;vertical-align:middle}
.swatch.dashed{border-top-style:dashed}
figure{margin:14px 0 0;padding:10px 10px 6px;background:var(--card);border:1px solid var(--line);border-radius:10px}
figcaption{color:var(--soft);font-size:13px;padding:2px 6px 6px}
svg{display:block;width:100%;height:auto}
svg.legend{width:240px}
svg text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif;fill:var(--soft)}
svg text.title{font-size:13.5px;font-weight:600;fill:var(--ink)}
svg .end{text-anchor:end}svg .middle{text-anchor:middle}svg .start{text-anchor:start}
svg .grid{stroke:var(--line);stroke-width:1}
svg .mark{stroke:var(--soft);stroke-width:1}
svg .line{fill:none;stroke:var(--c);stroke-width:1.9;stroke-linejoin:round}
svg .dashed{stroke-dasharray:6 4}
svg .band{fill:var(--band)}
svg text.band-label{fill:var(--band-ink);font-size:11.5px}
svg .band.quiet{fill:var(--line);opacity:.45}
svg text.band-label.quiet{fill:var(--soft)}
svg .frame{fill:none;stroke:var(--line)}
svg .struck{fill:var(--band-ink)}
svg image{image-rendering:pixelated}
footer{margin-top:40px;color:var(--soft);font-size:13px}
@media print{main{max-width:none;padding:0}figure{break-inside:avoid}}
`;
