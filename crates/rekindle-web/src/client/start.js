// Where the page's client begins; once, however often the page includes it.

const GUARD = Symbol.for('rekindle');

const ownScript = document.currentScript;

// By which a policy lets in what the page came with.
const pageNonce = ownScript ? ownScript.nonce : '';

function start() {
    safely(() => new Page(ownScript));
}

if (!window[GUARD] && ownScript) {
    Object.defineProperty(window, GUARD, { value: true });
    if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', start);
    else start();
}
