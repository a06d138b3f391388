import assert from 'node:assert/strict';
import { text, until } from './support/browser.js';
import { suite } from './support/suite.js';

// The browser may drop a page that it keeps, for reasons of its own.
const TRIES = 3;

// Leaves the page, changes what it is made of, and goes back to it. Gives why the browser did not keep it.
async function leaveAndGoBack(site, page) {
    const devtools = await page.context().newCDPSession(page);
    const reasons = [];
    devtools.on('Page.backForwardCacheNotUsed', (event) => {
        reasons.push(...event.notRestoredExplanations.map(({ reason }) => reason));
    });
    await devtools.send('Page.enable');
    await page.fill('[name=name]', 'Grace');
    await page.evaluate(() => { window.sameLoad = true; });
    await site.edit('templates/layout.html', 'The footer', 'Another footer');
    await until(page, text, 'Another footer', '#footer');
    await page.goto(`${site.url}/other`);
    await site.edit('templates/layout.html', 'Another footer', 'While it was away');
    await until(page, text, 'While it was away', '#footer');
    // It is not loaded: `load` does not come.
    await page.goBack({ waitUntil: 'commit' });
    // One that was kept still says that it was not until it is shown.
    await until(page, () => window.persisted === Boolean(window.sameLoad), true);
    return await page.evaluate(() => window.persisted) ? null : reasons;
}

async function check(site, browser, visit) {
    await browser.addInitScript(() => {
        addEventListener('pageshow', (event) => { window.persisted = event.persisted; });
        if (location.search === '?alone') delete window.SharedWorker;
    });
    const why = [];
    for (let count = 0; count < TRIES; count += 1) {
        const page = await visit();
        const reasons = await leaveAndGoBack(site, page);
        if (!reasons) {
            await checkKept(site, page);
            return;
        }
        why.push(reasons);
        await page.close();
        await site.edit('templates/layout.html', 'While it was away', 'The footer');
    }
    assert.fail(`the browser did not keep the page: ${JSON.stringify(why)}`);
}

// It is the one that was left, up to date, and stays so.
async function checkKept(site, page) {
    await until(page, text, 'While it was away', '#footer');
    assert.equal(await page.inputValue('[name=name]'), 'Grace');
    await site.edit('templates/layout.html', 'While it was away', 'Back again');
    await until(page, text, 'Back again', '#footer');
}

suite('going back to a page that the browser kept in memory', (scenario) => {
    // Chromium keeps no page whose worker no page in sight uses: another tab does.
    scenario('it is the same one, and up to date', async ({ site, browser, visit }) => {
        await visit('/other');
        await check(site, browser, visit);
    });

    scenario('so it is where it has a connection of its own', async ({ site, browser, visit }) => {
        await check(site, browser, () => visit('/?alone'));
    });
}, { ignoreDefaultArgs: ['--disable-back-forward-cache'] });
