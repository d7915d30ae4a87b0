/** How the page looks, by day and by night. */
export const STYLE: string = `:root {
  color-scheme: light dark;
  --back: #f4f6f8; --card: #ffffff; --line: #dde3ea; --text: #17212b; --quiet: #5d6b7a;
  --accent: #1463c8; --good: #14804a; --warn: #a15c00; --bad: #c2261f; --fill: #1463c822;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #11161c; --card: #1a222b; --line: #2c3845; --text: #e6edf3; --quiet: #93a1b0;
    --accent: #62a8ff; --good: #4cc38a; --warn: #f0b44c; --bad: #ff7b72; --fill: #62a8ff22;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; background: var(--back); color: var(--text); font: 14px/1.45 system-ui, sans-serif; }
header { display: flex; align-items: center; gap: 12px; padding: 14px 24px; background: var(--card); border-bottom: 1px solid var(--line); }
h1 { font-size: 17px; margin: 0; display: flex; align-items: center; gap: 10px; }
h2 { font-size: 14px; margin: 24px 0 8px; }
.mark { width: 16px; height: 16px; border-radius: 3px; background: linear-gradient(var(--accent) 0 35%, transparent 35% 45%, var(--accent) 45% 60%, transparent 60% 70%, var(--accent) 70%); }
main { max-width: 1280px; margin: 0 auto; padding: 16px 24px 48px; }
.quiet { color: var(--quiet); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(138px, 1fr)); gap: 12px; }
.tile, figure, table, .changes, pre, .cluster { background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
.tile { padding: 12px 14px; }
.tile b { display: block; font-size: 24px; font-weight: 600; font-variant-numeric: tabular-nums; }
.tile span { color: var(--quiet); font-size: 12px; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(320px, 1fr)); gap: 12px; margin-top: 12px; }
figure { margin: 0; padding: 12px 14px; position: relative; }
figcaption { color: var(--quiet); font-size: 12px; margin-bottom: 6px; }
svg { width: 100%; height: 96px; display: block; }
svg .area { fill: var(--fill); stroke: none; }
svg .line { fill: none; stroke: var(--accent); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
svg .second { fill: none; stroke: var(--warn); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
figure .peak { position: absolute; top: 12px; right: 14px; font-size: 12px; color: var(--quiet); font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; }
table { border-collapse: separate; border-spacing: 0; width: 100%; overflow: hidden; }
th, td { text-align: left; padding: 7px 12px; border-bottom: 1px solid var(--line); white-space: nowrap; }
tr:last-child td { border-bottom: 0; }
th { font-size: 12px; font-weight: 500; color: var(--quiet); }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
td.wide { white-space: normal; min-width: 200px; color: var(--quiet); }
.badge { display: inline-block; padding: 1px 8px; border-radius: 10px; font-size: 12px; border: 1px solid currentColor; color: var(--quiet); }
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
.cluster { margin-bottom: 12px; overflow: hidden; }
.cluster > header { padding: 10px 14px; background: none; gap: 10px; }
.cluster table { border: 0; border-radius: 0; }
.bar { display: inline-block; width: 72px; height: 8px; border-radius: 4px; background: var(--line); overflow: hidden; vertical-align: middle; }
.bar i { display: block; height: 100%; background: var(--accent); }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(340px, 1fr)); gap: 0 24px; }
.changes { margin: 0; padding: 8px 14px 8px 14px; list-style: none; min-height: 48px; max-height: 320px; overflow-y: auto; }
.changes:empty::before { content: "nothing since this page was opened"; color: var(--quiet); }
.changes li { padding: 3px 0; }
.changes time { color: var(--quiet); margin-right: 8px; font-variant-numeric: tabular-nums; }
button, input, select { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 5px 10px; }
button { cursor: pointer; }
button:hover { border-color: var(--accent); color: var(--accent); }
td button { padding: 1px 8px; font-size: 12px; }
.explain { display: flex; flex-wrap: wrap; gap: 8px; }
.explain input { flex: 1 1 160px; }
pre { padding: 12px 14px; overflow-x: auto; white-space: pre-wrap; font: 12px/1.5 ui-monospace, monospace; }
#login { display: flex; gap: 8px; margin-bottom: 16px; }
`;
