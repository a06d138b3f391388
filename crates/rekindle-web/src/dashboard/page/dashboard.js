// The dashboard: asks for everything whenever there is something new, and shows what is different.

import { Unanswered, ask, follow } from './dashboard/api.js';
import { showBrowsers } from './dashboard/browsers.js';
import { showChanges } from './dashboard/changes.js';
import { showConfigs } from './dashboard/configs.js';
import { byId, h, notice } from './dashboard/dom.js';
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

/** All that is known. */
const known = { overview: undefined, values: [], revisions: [], historyFault: undefined, isOld: false };

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
    const [overview, explained, past] = await Promise.all([ask('overview'), ask('explain'), history]);
    if (known.isOld) setLink('live');
    Object.assign(known, {
        isOld: false,
        overview,
        values: explained.values,
        revisions: past.revisions,
        historyFault: past.fault,
    });
    show();
}

/** Shows what is known. */
function show() {
    if (!known.overview) return;
    const { status, receipts, problems, browsers } = known.overview;
    showSummary(status, problems, browsers);
    showProblems(status, problems, known.revisions);
    showConfigs(status, known.values, show);
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
byId('filter').addEventListener('input', show);
byId('changes-of').addEventListener('change', show);
setInterval(tick, 5000);
// Some things happen without a word, such as a revision that is trusted after a while.
setInterval(() => document.hidden || refresh(), 30000);
follow(refresh, setLink);
