import assert from 'node:assert/strict';
import { text, until } from './support/browser.js';
import { suite } from './support/suite.js';

// Leaves the page, changes what it is made of, goes back to it, and changes that once more.
async function leaveAndGoBack(site, browser, visit) {
    await browser.addInitScript(() => {
        addEventListener('pageshow', (event) => { window.persisted = event.persisted; });
        if (location.search === '?alone') delete window.SharedWorker;
    });
    const page = await visit();
    await page.fill('[name=name]', 'Grace');
    await page.evaluate(() => { window.sameLoad = true; });
    await site.edit('templates/layout.html', 'The footer', 'Another footer');
    await until(page, text, 'Another footer', '#footer');
    await page.goto(`${site.url}/other`);
    await site.edit('templates/layout.html', 'Another footer', 'While it was away');
    await until(page, text, 'While it was away', '#footer');
    // It is not loaded: `load` does not come.
    await page.goBack({ waitUntil: 'commit' });
    await until(page, () => [window.sameLoad, window.persisted], [true, true]);
    await until(page, text, 'While it was away', '#footer');
    assert.equal(await page.inputValue('[name=name]'), 'Grace');
    await site.edit('templates/layout.html', 'While it was away', 'Back again');
    await until(page, text, 'Back again', '#footer');
}

suite('going back to a page that the browser kept in memory', (scenario) => {
    // Chromium keeps no page whose worker no page in sight uses: another tab does.
    scenario('it is the same one, and up to date', async ({ site, browser, visit }) => {
        await visit('/other');
        await leaveAndGoBack(site, browser, visit);
    });

    scenario('so it is where it has a connection of its own', async ({ site, browser, visit }) => {
        await leaveAndGoBack(site, browser, () => visit('/?alone'));
    });
}, { ignoreDefaultArgs: ['--disable-back-forward-cache'] });
