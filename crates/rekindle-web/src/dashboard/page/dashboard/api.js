// The server: questions, and being told when to ask again.

const FIRST_WAIT = 500;
const LONGEST_WAIT = 8000;

let token = document.querySelector('meta[name="rekindle-token"]').content;

/** What came back as no answer. */
export class Unanswered extends Error {}

/**
 * Asks, and gives the answer. It throws with the server's reason when that is a refusal, and `Unanswered` when
 * there is none.
 */
export async function ask(command, fields = {}) {
    let response = await post(command, fields);
    // A server that was started anew has another token.
    if (isStale(response) && (await renew())) response = await post(command, fields);
    if (!response.headers.get('Content-Type')?.startsWith('application/json')) {
        throw new Unanswered((await response.text()) || `the server answers with ${response.status}`);
    }
    const answer = await response.json();
    if (!answer.ok) throw Object.assign(new Error(answer.error.message), { told: answer.error });
    return answer;
}

function post(command, fields) {
    const body = JSON.stringify({ rekindle: 1, cmd: command, ...fields });
    const headers = { 'Content-Type': 'application/json' };
    return fetch(`api?token=${encodeURIComponent(token)}`, { method: 'POST', headers, body }).catch(() => {
        throw new Unanswered('the server does not answer');
    });
}

const isStale = (response) =>
    response.status === 403 && !response.headers.get('Content-Type')?.startsWith('application/json');

/** Takes the token from the page as it is by now. */
async function renew() {
    try {
        const page = await (await fetch('./')).text();
        const found = page.match(/name="rekindle-token" content="([^"]*)"/);
        if (found) token = found[1];
        return Boolean(found);
    } catch {
        return false;
    }
}

/**
 * Calls `changed` at once and whenever there is something new, and `state` with `live`, `lost` or `stopped`. A
 * page that is not to be seen has no connection: it would be one of the six that a browser has for a server.
 */
export function follow(changed, state) {
    let source;
    let timer;
    let wait = FIRST_WAIT;
    const close = () => {
        clearTimeout(timer);
        source?.close();
        source = undefined;
    };
    const again = async (told) => {
        close();
        state(told);
        timer = setTimeout(async () => {
            await renew();
            open();
        }, wait);
        wait = Math.min(wait * 2, LONGEST_WAIT);
    };
    const open = () => {
        close();
        if (document.hidden) return;
        source = new EventSource(`dashboard-events?token=${encodeURIComponent(token)}`);
        source.addEventListener('message', () => {
            wait = FIRST_WAIT;
            state('live');
            changed();
        });
        source.addEventListener('stopped', () => again('stopped'));
        source.addEventListener('error', () => again('lost'));
    };
    document.addEventListener('visibilitychange', open);
    addEventListener('pagehide', close);
    addEventListener('pageshow', (event) => event.persisted && open());
    open();
}
