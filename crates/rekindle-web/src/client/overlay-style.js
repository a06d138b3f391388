// How the overlay looks.

const OVERLAY_STYLE = `
:host {
    all: initial !important;
    color-scheme: light dark !important;
    display: flex !important;
    flex-direction: column !important;
    justify-content: flex-end !important;
    align-items: center !important;
    gap: 8px !important;
    position: fixed !important;
    inset: 0 !important;
    width: auto !important;
    height: auto !important;
    box-sizing: border-box !important;
    padding: 12px !important;
    overflow: hidden !important;
    pointer-events: none !important;
    z-index: 2147483647 !important;
    --ink: #1f2328;
    --quiet: #5b636d;
    --ground: #ffffff;
    --raised: #f5f6f8;
    --edge: #d4d8de;
    --wrong: #c22a1e;
    --wrong-ground: #fdebe8;
    --focus: #0b57d0;
}
@media (prefers-color-scheme: dark) {
    :host {
        --ink: #e8eaed;
        --quiet: #a3abb5;
        --ground: #1b1d21;
        --raised: #25282d;
        --edge: #3b4047;
        --wrong: #ff8b7e;
        --wrong-ground: #43231f;
        --focus: #8ab4f8;
    }
}
@media print {
    :host { display: none !important; }
}
* { box-sizing: border-box; margin: 0; padding: 0; }
.panel, .note {
    pointer-events: auto;
    width: 100%;
    max-width: 60rem;
    color: var(--ink);
    background: var(--ground);
    border: 1px solid var(--edge);
    border-radius: 10px;
    box-shadow: 0 12px 40px rgb(0 0 0 / 0.28);
    font: 15px/1.5 system-ui, sans-serif;
    text-align: start;
}
.panel {
    display: flex;
    flex-direction: column;
    min-height: 0;
    max-height: 75%;
    border-top: 4px solid var(--wrong);
    overflow: hidden;
}
header {
    display: flex;
    align-items: center;
    gap: 10px;
    flex: none;
    padding: 8px 8px 8px 16px;
    border-bottom: 1px solid var(--edge);
}
h1 { flex: 1; font-size: 14px; font-weight: 600; color: var(--quiet); }
kbd {
    font: 12px/1 ui-monospace, monospace;
    color: var(--quiet);
    border: 1px solid var(--edge);
    border-radius: 4px;
    padding: 3px 6px;
}
button {
    flex: none;
    width: 36px;
    height: 36px;
    border: 0;
    border-radius: 6px;
    background: none;
    color: inherit;
    font: 16px/1 system-ui, sans-serif;
    cursor: pointer;
}
button:hover { background: var(--raised); }
:focus-visible { outline: 2px solid var(--focus); outline-offset: -2px; }
.problems { overflow: auto; overscroll-behavior: contain; padding: 0 16px; }
article { padding: 14px 0 16px; }
article + article { border-top: 1px solid var(--edge); }
h2 { font-size: 17px; font-weight: 650; line-height: 1.35; color: var(--wrong); }
.place {
    font: 13px/1.6 ui-monospace, monospace;
    color: var(--quiet);
    overflow-wrap: anywhere;
    user-select: all;
}
.message { margin-top: 6px; white-space: pre-wrap; overflow-wrap: anywhere; }
.frame {
    margin-top: 12px;
    background: var(--raised);
    border: 1px solid var(--edge);
    border-radius: 6px;
    overflow-x: auto;
    font: 13px/1.6 ui-monospace, monospace;
    tab-size: 4;
}
.code { display: grid; width: max-content; min-width: 100%; padding: 6px 0; }
.line { display: grid; grid-template-columns: 4.5em 1fr; white-space: pre; }
.number {
    position: sticky;
    left: 0;
    padding-right: 1.2em;
    text-align: end;
    color: var(--quiet);
    background: var(--raised);
    user-select: none;
}
code { font: inherit; padding-right: 1.2em; }
.wrong, .wrong .number { background: var(--wrong-ground); }
.wrong .number { color: var(--wrong); font-weight: 600; }
mark { background: none; color: inherit; border-bottom: 2px solid var(--wrong); }
.chain { margin-top: 12px; font-size: 13px; color: var(--quiet); }
ol { list-style: none; font-family: ui-monospace, monospace; }
li { overflow-wrap: anywhere; }
li + li::before { content: "\\2192\\00a0"; }
.note { display: flex; align-items: center; gap: 8px; padding: 6px 6px 6px 16px; }
.note p { flex: 1; }
@media (max-width: 480px) {
    :host { padding: 0 !important; }
    .panel { border-radius: 10px 10px 0 0; border-inline: 0; border-bottom: 0; }
    .line { grid-template-columns: 3.2em 1fr; }
    .number { padding-right: 0.8em; }
    kbd { display: none; }
}
`;
