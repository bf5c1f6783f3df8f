// The style sheet and the script of a report.
#pragma once

namespace dis {

/// Light and dark, wide and narrow, paper.
inline constexpr const char* kPageStyle = R"(
:root{--ground:#fff;--ink:#1c1c1c;--soft:#5b5b5b;--line:#d8d8d8;--panel:#f6f6f6;--link:#0b57a4;--board:#e7d9bd;
--board-dark:#c9b38a;--pad:#ececec;--mark:#d0021b}
@media (prefers-color-scheme:dark){:root{--ground:#15171a;--ink:#e8e8e8;--soft:#a9adb3;--line:#3a3f46;--panel:#1f2226;
--link:#8ab8ff;--board:#8d7c5a;--board-dark:#6c5d40;--pad:#4a5058;--mark:#ff6b6b}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
header,main,footer{max-width:1280px;margin:0 auto;padding:0 1rem}
h1{margin:1.2rem 0 .2rem;overflow-wrap:anywhere;font-size:1.7rem}h2{margin:2.2rem 0 .6rem;border-bottom:1px solid var(--line)}h3{margin:1.4rem 0 .4rem}
h4{margin:.8rem 0 .3rem}
a{color:var(--link)}
nav ul{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;padding:0;list-style:none}
.skip{position:absolute;left:-999px}.skip:focus{left:1rem;top:.5rem;background:var(--ground);padding:.3rem .6rem}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.scroll{overflow-x:auto;margin:.6rem 0 1.2rem}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:600;padding:.2rem 0}
th,td{border-bottom:1px solid var(--line);padding:.2rem .7rem .2rem 0;text-align:left;vertical-align:top}
td{white-space:nowrap}thead th{color:var(--soft);font-weight:600}tbody th{font-weight:400}
#configuration td,#differences td,#among-runs td{white-space:normal;overflow-wrap:anywhere}
.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,440px),1fr));gap:1rem}
figcaption{font-size:.9rem;font-weight:600;margin-bottom:.3rem}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
figure{margin:0;padding:.6rem;background:var(--panel);border-radius:6px;min-width:0}
svg.plot{width:100%;height:auto;display:block}
summary{cursor:pointer;color:var(--link);padding:.15rem 0}
.warning{border-left:4px solid var(--mark);padding-left:.6rem}
.small{font-size:.8rem;color:var(--soft)}
.panels{display:flex;flex-wrap:wrap;gap:.8rem;padding:.4rem 0 1rem}
.panel{width:8.4rem;font-size:.9rem}
svg.field{width:100%;height:auto;display:block;shape-rendering:crispEdges}
svg.field circle{shape-rendering:auto}
.ground{fill:var(--pad)}.dark{fill:var(--board-dark)}.nqueens .ground{fill:var(--board)}
.sudoku .ground,.maze .ground{fill:#fff}.boxes{stroke:#777;stroke-width:.07}svg.field text{font:bold .7px sans-serif;text-anchor:middle}
.found{fill:#0b57a4}.found text{font-weight:400}.sudoku .faint,.maze .faint{fill:none}
.wall{fill:#555}.start{fill:#2a9d3c}.goal{fill:#d0021b}.path{fill:#7fb8ea}
.given{fill:#111}.queen{fill:#0b57a4;stroke:#fff;stroke-width:.06}
.end{fill:var(--line)}.faint{fill:var(--pad);opacity:.82}.halo{fill:none;stroke:#fff;stroke-width:.2}.wrong{fill:none;stroke:var(--mark);stroke-width:.1}
.a0{fill:#000}.a1{fill:#0074d9}.a2{fill:#ff4136}.a3{fill:#2ecc40}.a4{fill:#ffdc00}.a5{fill:#aaa}.a6{fill:#f012be}
.a7{fill:#ff851b}.a8{fill:#7fdbff}.a9{fill:#870c25}
.s0{fill:#4e79a7}.s1{fill:#f28e2b}.s2{fill:#e15759}.s3{fill:#76b7b2}.s4{fill:#59a14f}.s5{fill:#edc948}.s6{fill:#b07aa1}
.s7{fill:#ff9da7}.s8{fill:#9c755f}.s9{fill:#bab0ac}
.f0{fill:#2166ac}.f1{fill:#b2182b}.f2{fill:#1b7837}.f3{fill:#762a83}.f4{fill:#e08214}.f5{fill:#35978f}.f6{fill:#c51b7d}
.f7{fill:#666}
@media (prefers-color-scheme:dark){svg.plot text{fill:#e8e8e8}.grid{stroke:#33383f}.axis{stroke:#8a9099}
.c0{stroke:#6aaef0}.c1{stroke:#f0767f}.c2{stroke:#6cc48a}.c3{stroke:#b78ad0}.c4{stroke:#f0a95b}.c5{stroke:#72c9c1}
.c6{stroke:#ee7ab8}.c7{stroke:#aaa}.f0{fill:#6aaef0}.f1{fill:#f0767f}.f2{fill:#6cc48a}.f3{fill:#b78ad0}.f4{fill:#f0a95b}
.f5{fill:#72c9c1}.f6{fill:#ee7ab8}.f7{fill:#aaa}svg.plot .t0{fill:#6aaef0}svg.plot .t1{fill:#f0767f}
svg.plot .t2{fill:#6cc48a}svg.plot .t3{fill:#b78ad0}svg.plot .t4{fill:#f0a95b}svg.plot .t5{fill:#72c9c1}
svg.plot .t6{fill:#ee7ab8}svg.plot .t7{fill:#aaa}}
@media (max-width:600px){svg.plot text{font-size:17px}}
@media print{body{font-size:11px}nav,.skip{display:none}.scroll{overflow:visible}figure,.panels,tr{break-inside:avoid}
.figures{grid-template-columns:1fr 1fr}}
)";

/// Rows that are solved are printed even where they are folded.
inline constexpr const char* kPageScript =
    "addEventListener('beforeprint',()=>{for(const d of document.querySelectorAll('.examples details'))d.open=true})";

/// Loads the page again every so many seconds, unless it is paused; what was open is open again. %d: seconds.
inline constexpr const char* kFollowScript =
    "const all=[...document.querySelectorAll('details')],name=d=>d.firstChild.textContent,"
    "open=JSON.parse(sessionStorage.getItem('open')||'null');if(open)for(const d of all)d.open=open.includes(name(d));"
    "const button=document.getElementById('pause');let on=true;"
    "button.onclick=()=>{on=!on;button.textContent=on?'Pause':'Go on'};"
    "setInterval(()=>{if(!on)return;sessionStorage.setItem('open',JSON.stringify(all.filter(d=>d.open).map(name)));"
    "location.reload()},1000*%d)";

}  // namespace dis
