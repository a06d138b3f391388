// Stylesheets: the new one is loaded beside the old one, which goes when it is there. Nothing flickers, and
// one that does not load leaves the old.

// How long the next update waits for a stylesheet; it is swapped later than that, too.
const LOAD_MS = 8000;

// Resolves when all that was there of it is swapped.
function replaceStyle(update, mirror) {
    const replacement = new Replacement(update);
    const all = roots();
    const swaps = all.flatMap((root) => [...root.querySelectorAll('link[rel~="stylesheet" i]')])
        .map((link) => ({ link, href: replacement.of(link.getAttribute('href')) }))
        .filter(({ href }) => href)
        .map(({ link, href }) => swapLink(link, href, mirror));
    const imports = all.flatMap((root) => [...root.styleSheets])
        .flatMap((sheet) => replaceImports(sheet, replacement));
    return Promise.all([...swaps, ...imports]);
}

const successors = new WeakMap();

function swapLink(link, href, mirror) {
    const earlier = successors.get(link);
    if (earlier) earlier.remove();
    // One that is disabled is not loaded, and would never say that it is.
    if (link.hasAttribute('disabled')) {
        link.removeAttribute('integrity');
        link.setAttribute('href', href);
        return Promise.resolve();
    }
    const next = successor(link, href);
    successors.set(link, next);
    link.after(next);
    return loaded(next).then((fine) => {
        if (fine) take(link, next, mirror);
        else next.remove();
    });
}

function successor(link, href) {
    const next = link.cloneNode();
    next.nonce = link.nonce;
    // The content that it was made for is gone.
    next.removeAttribute('integrity');
    next.setAttribute('href', href);
    return next;
}

// A later successor has taken its place when it is no longer in the page.
function take(link, next, mirror) {
    if (!next.isConnected) return;
    if (link.sheet && next.sheet) next.sheet.disabled = link.sheet.disabled;
    mirror.replaceLive(link, next);
    link.remove();
}

// Whether it came to load; false as well when it takes too long, but then it may still do so.
function loaded(link) {
    return new Promise((done) => {
        link.addEventListener('load', () => done(true), { once: true });
        link.addEventListener('error', () => done(false), { once: true });
    });
}

function pause(ms) {
    return new Promise((done) => setTimeout(done, ms));
}

// Not to be waited for without end: a server may hang.
function withPatience(promise, ms) {
    return Promise.race([promise, pause(ms)]);
}

// The rules of a sheet, none when it is another origin's or not loaded.
function rulesOf(sheet) {
    try {
        return sheet ? [...sheet.cssRules] : [];
    } catch (error) {
        return [];
    }
}

// `@import` in a `<style>`, or in a sheet, or in what that imports.
function replaceImports(sheet, replacement) {
    return rulesOf(sheet).filter((rule) => rule.type === CSSRule.IMPORT_RULE).flatMap((rule) => {
        const href = replacement.of(rule.href, sheetBase(sheet));
        return href ? [swapImport(sheet, rule, href)] : replaceImports(rule.styleSheet, replacement);
    });
}

// A `<style>` has the page's base, a sheet its own address.
function sheetBase(sheet) {
    if (sheet.href) return sheet.href;
    return sheet.parentStyleSheet ? sheetBase(sheet.parentStyleSheet) : document.baseURI;
}

// The new rule behind the old: the later one wins, and the layer and media of it stay what they are.
async function swapImport(sheet, rule, href) {
    const text = rule.cssText.replace(/url\("(?:[^"\\]|\\.)*"\)/, () => `url("${href}")`);
    const index = rulesOf(sheet).indexOf(rule) + 1;
    sheet.insertRule(text, index);
    const next = sheet.cssRules[index];
    const end = Date.now() + LOAD_MS;
    while (!isReadable(next.styleSheet) && Date.now() < end) await pause(10);
    const place = rulesOf(sheet).indexOf(rule);
    if (place >= 0 && isReadable(next.styleSheet)) sheet.deleteRule(place);
}

function isReadable(sheet) {
    try {
        return Boolean(sheet && sheet.cssRules);
    } catch (error) {
        return false;
    }
}
