// The dashboard: asks for everything whenever there is something new, and shows what is different.

import { Unanswered, ask, follow } from './dashboard/api.js';
import { showBrowsers } from './dashboard/browsers.js';
import { showChanges } from './dashboard/changes.js';
import { showConfigs, wanted } from './dashboard/configs.js';
import { byId, h, notice } from './dashboard/dom.js';
import { showFleet } from './dashboard/fleet.js';
import { showProblems } from './dashboard/problems.js';
import { receipt, showReloads } from './dashboard/reloads.js';
import { showEngine, showSummary } from './dashboard/summary.js';
import { ago } from './dashboard/words.js';

const LINK = {
    connecting: 'Connecting',
    live: 'Live',
    lost: 'Connection lost, trying again',
    stopped: 'The engine has stopped',
};

/** All that is known; of values those that are shown, by configuration. */
const known = {
    overview: undefined,
    values: new Map(),
    revisions: [],
    historyFault: undefined,
    isOld: false,
};

/** Of up to how many configurations the values are asked for one by one. */
const FEW = 8;

let asking = false;
let stale = false;

/** Asks for everything, once at a time: what changes meanwhile is asked for afterwards. */
async function refresh() {
    stale = true;
    if (asking) return;
    asking = true;
    try {
        while (stale) {
            stale = false;
            await load().catch(unloaded);
        }
    } finally {
        asking = false;
    }
}

/** Says that what is shown may be old, and why. */
function unloaded(fault) {
    if (!(fault instanceof Unanswered) && !fault.told) throw fault;
    known.isOld = true;
    setLink('lost', fault.message);
}

async function load() {
    const history = ask('history').catch((fault) => ({ revisions: [], fault: fault.message }));
    const [overview, past] = await Promise.all([ask('overview'), history]);
    const values = await valuesOf(wanted(overview.status));
    if (known.isOld) setLink('live');
    Object.assign(known, {
        isOld: false,
        overview,
        values,
        revisions: past.revisions,
        historyFault: past.fault,
    });
    show();
}

/** Asks for values: of a few configurations one by one, which is less, of many in one go. */
async function valuesOf(names) {
    if (names.length > FEW) {
        const { values } = await ask('explain');
        return new Map(names.map((name) => [name, values.filter((value) => value.config_name === name)]));
    }
    return new Map(await Promise.all(names.map(async (name) => [name, await valuesOfOne(name)])));
}

async function valuesOfOne(name) {
    try {
        return (await ask('explain', { config_name: name })).values;
    } catch (fault) {
        // It has none that is in use.
        if (fault.told?.kind === 'not-found') return [];
        throw fault;
    }
}

/** Shows what is known, and asks for the values that are to be shown and are not. */
async function look() {
    show();
    const missing = wanted(known.overview.status).filter((name) => !known.values.has(name));
    if (!missing.length) return;
    const found = await valuesOf(missing).catch(unloaded);
    found?.forEach((values, name) => known.values.has(name) || known.values.set(name, values));
    show();
}

/** Shows what is known. */
function show() {
    if (!known.overview) return;
    const { status, receipts, problems, browsers, fleet } = known.overview;
    showSummary(status, problems, browsers);
    showProblems(status, problems, known.revisions);
    showFleet(fleet);
    showConfigs(status, known.values, look);
    showReloads(receipts);
    showChanges(status, known.revisions, known.historyFault, show);
    showBrowsers(browsers);
    showEngine(status);
    tick();
}

function setLink(state, why) {
    const link = byId('link');
    if (link.dataset.state === state && !why) return;
    link.dataset.state = state;
    link.textContent = LINK[state];
    link.title = why ?? '';
}

/** Keeps what is said of times true. */
function tick() {
    const now = Date.now();
    for (const time of document.querySelectorAll('time[data-ago]')) {
        const text = ago(time.dateTime, now);
        if (time.textContent !== text) time.textContent = text;
    }
}

async function reload({ currentTarget: button }) {
    button.disabled = true;
    try {
        const answer = await ask('reload');
        notice(answer.receipt.outcome === 'refused' ? 'bad' : 'good', receipt(answer.receipt));
    } catch (fault) {
        notice('bad', h('p', {}, fault.message));
    } finally {
        button.disabled = false;
        button.focus({ preventScroll: true });
    }
}

byId('reload').addEventListener('click', reload);
byId('filter').addEventListener('input', () => known.overview && look());
byId('changes-of').addEventListener('change', show);
setInterval(tick, 5000);
// Some things happen without a word, such as a revision that is trusted after a while.
setInterval(() => document.hidden || refresh(), 30000);
follow(refresh, setLink);
