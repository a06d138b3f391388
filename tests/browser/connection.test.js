import assert from 'node:assert/strict';
import { computed, eventually, open, text, until } from './support/browser.js';
import { Proxy } from './support/proxy.js';
import { suite } from './support/suite.js';

// How many changes a server remembers.
const REMEMBERED = 256;

// A site behind a network that can be looked at.
const behind = (body) => async (given) => {
    const proxy = await Proxy.before(given.site.url);
    try {
        await body({ ...given, proxy, visit: (path = '/') => open(given.browser, proxy.url + path) });
    } finally {
        proxy.close();
    }
};

// Edits the partial, and waits until all pages show it.
async function change(site, pages, before, after) {
    await site.edit('templates/layout.html', before, after);
    await Promise.all(pages.map((page) => until(page, text, after, '#footer')));
}

const sockets = (proxy) => proxy.seen('/_rekindle/socket').length;

// What a page says that it is made of.
async function revision(site) {
    const page = await fetch(site.url, { headers: { Accept: 'text/html' } });
    return /live\.js\?[\w-]+\.(\w+)/.exec(await page.text())[1];
}

// Nobody looks at a page, or somebody does: a browser without a window shows all of its pages.
function look(page, state) {
    return page.evaluate((value) => {
        Object.defineProperty(document, 'visibilityState', { value, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
    }, state);
}

suite('the connection', (scenario) => {
    scenario('two tabs have one connection', behind(async ({ site, visit, proxy }) => {
        const pages = [await visit(), await visit('/other')];
        await change(site, pages, 'The footer', 'Another footer');
        assert.equal(sockets(proxy), 1);
        await pages[0].close();
        await change(site, [pages[1]], 'Another footer', 'A third');
        assert.equal(sockets(proxy), 1);
        assert.equal(pages[1].loads, 1);
    }));

    scenario('ten tabs are loaded and kept up to date over HTTP/1.1', behind(async ({ site, visit, proxy }) => {
        const pages = [];
        for (let number = 0; number < 10; number += 1) pages.push(await visit(`/?tab=${number}`));
        await change(site, pages, 'The footer', 'Another footer');
        await site.edit('static/app.css', 'rgb(0, 0, 1)', 'rgb(9, 9, 9)');
        await Promise.all(pages.map((page) => until(page, computed, 'rgb(9, 9, 9)', ['body', 'color'])));
        assert.equal(sockets(proxy), 1);
        assert.deepEqual(pages.map((page) => page.loads), Array(10).fill(1));
    }));

    scenario('ten tabs have one stream of server-sent events', behind(async ({ site, visit, proxy }) => {
        proxy.refuses = (line) => line.includes('/_rekindle/socket');
        const pages = [];
        for (let number = 0; number < 10; number += 1) pages.push(await visit(`/?tab=${number}`));
        await change(site, pages, 'The footer', 'Another footer');
        // Each tab that joins has it opened anew: the one before may still be closing.
        await eventually(async () => proxy.open('/_rekindle/events'), 1);
        assert.deepEqual(pages.map((page) => page.loads), Array(10).fill(1));
    }));

    scenario('ten tabs with a stream of their own do not use up what connections a browser has', behind(async ({ site, browser, visit, proxy }) => {
        await browser.addInitScript(() => { if (location.search.startsWith('?alone')) delete window.SharedWorker; });
        proxy.refuses = (line) => line.includes('/_rekindle/socket');
        const pages = [];
        for (let number = 0; number < 10; number += 1) {
            if (number) await look(pages.at(-1), 'hidden');
            pages.push(await visit(`/?alone=${number}`));
        }
        await change(site, [pages[9]], 'The footer', 'Another footer');
        for (const page of pages.slice(0, 9)) {
            await look(page, 'visible');
            await until(page, text, 'Another footer', '#footer');
            await look(page, 'hidden');
        }
        assert.deepEqual(pages.map((page) => page.loads), Array(10).fill(1));
    }));

    for (const [name, refused, used] of [
        ['server-sent events', ['/socket'], '/events'],
        ['polling', ['/socket', '/events'], '/poll'],
    ]) {
        scenario(`${name} do where nothing better gets through`, behind(async ({ site, visit, proxy }) => {
            proxy.refuses = (line) => refused.some((path) => line.includes(`/_rekindle${path}`));
            const pages = [await visit(), await visit('/other')];
            await change(site, pages, 'The footer', 'Another footer');
            await change(site, pages, 'Another footer', 'A third');
            await site.edit('templates/partial.html', 'A partial', '{% nonsense %}');
            for (const page of pages) {
                await page.waitForFunction(() => document.querySelector('rekindle-overlay'));
            }
            await site.edit('templates/partial.html', '{% nonsense %}', 'Mended');
            for (const page of pages) {
                await page.waitForFunction(() => !document.querySelector('rekindle-overlay'));
            }
            await until(pages[0], text, 'Mended', '#partial');
            assert.ok(proxy.seen(`/_rekindle${used}`).length > 0);
            assert.deepEqual(pages.map((page) => page.loads), [1, 1]);
        }));
    }

    scenario('polling waits for what is new, and does not ask again for what is known to be wrong', behind(async ({ site, visit, proxy }) => {
        proxy.refuses = (line) => ['/socket', '/events'].some((path) => line.includes(`/_rekindle${path}`));
        await site.edit('templates/partial.html', 'A partial', '{% nonsense %}');
        const page = await visit('/other');
        await page.waitForSelector('rekindle-overlay .panel');
        await site.edit('templates/other.html', 'Another page', 'Another one');
        await until(page, text, 'Another one', '#title');
        const known = proxy.seen('/poll').map((line) => new URL(line.split(' ')[1], proxy.url).searchParams.get('problems'));
        assert.equal(known[0], '');
        assert.notEqual(known.at(-1), '');
        assert.equal(new Set(known).size, 2, 'each was told once');
    }));

    scenario('a tab that nobody looks at leaves its connection to others, and catches up', behind(async ({ site, browser, visit, proxy }) => {
        await browser.addInitScript(() => { if (location.search === '?alone') delete window.SharedWorker; });
        proxy.refuses = (line) => line.includes('/_rekindle/socket');
        const page = await visit('/?alone');
        await change(site, [page], 'The footer', 'Another footer');
        const open = proxy.seen('/events').length;
        await look(page, 'hidden');
        await proxy.ended('/events', open);
        await site.edit('templates/layout.html', 'Another footer', 'Missed');
        await look(page, 'visible');
        await until(page, text, 'Missed', '#footer');
        assert.equal(page.loads, 1);
    }));

    scenario('the dashboard names the pages that are open', async ({ browser, site, visit }) => {
        const page = await visit('/other');
        await change(site, [page], 'The footer', 'Another footer');
        const dashboard = await open(browser, `${site.url}/_rekindle/`);
        await dashboard.locator('#browsers >> text=/other').first().waitFor();
        await page.goto(site.url);
        await dashboard.locator('#browsers >> text=/other').first().waitFor({ state: 'detached' });
    });

    scenario('pages that can have no worker have a connection of their own', behind(async ({ site, browser, visit, proxy }) => {
        await browser.addInitScript(() => {
            // As policies and older browsers have it.
            if (location.search === '?none') delete window.SharedWorker;
            if (location.search === '?refused') window.SharedWorker = class { constructor() { throw new Error('refused'); } };
            if (location.search === '?silent') window.SharedWorker = class { port = { postMessage() {} }; };
        });
        const pages = [await visit('/?none'), await visit('/?refused'), await visit('/?silent')];
        await change(site, pages, 'The footer', 'Another footer');
        assert.equal(sockets(proxy), 3);
        assert.deepEqual(pages.map((page) => page.loads), [1, 1, 1]);
    }));

    scenario('a cut connection comes back, and what was missed comes once', behind(async ({ site, visit, proxy }) => {
        const page = await visit();
        await change(site, [page], 'The footer', 'Another footer');
        let renders = 0;
        page.on('request', (request) => { renders += request.url() === `${proxy.url}/` ? 1 : 0; });
        proxy.cut();
        await page.waitForEvent('console', (message) => message.text() === 'rekindle: connection lost');
        await site.edit('templates/layout.html', 'Another footer', 'Missed');
        await site.edit('templates/partial.html', 'A partial', 'Missed, too');
        proxy.mend();
        await until(page, text, 'Missed', '#footer');
        await until(page, text, 'Missed, too', '#partial');
        await until(page, () => 0, 0);
        assert.equal(renders, 1);
        const said = page.said.filter((line) => line.includes('rekindle'));
        assert.deepEqual(said, ['debug: rekindle: connection lost', 'debug: rekindle: connection regained']);
        assert.deepEqual([page.loads, page.errors], [1, []]);
    }));

    scenario('a page that missed more than anybody remembers is loaded anew, once', behind(async ({ site, visit, proxy }) => {
        const page = await visit();
        await page.fill('[name=name]', 'Grace');
        await change(site, [page], 'The footer', 'Another footer');
        proxy.cut();
        for (let number = 0; number < REMEMBERED + 1; number += 1) {
            const before = await revision(site);
            await site.write('static/unused.css', `a { order: ${number} }`);
            await eventually(async () => await revision(site) === before, false);
        }
        await site.edit('templates/layout.html', 'Another footer', 'Missed');
        proxy.mend();
        await until(page, text, 'Missed', '#footer');
        await until(page, () => document.querySelector('[name=name]').value, 'Grace');
        await change(site, [page], 'Missed', 'The end');
        assert.equal(page.loads, 2);
    }));

    scenario('a server that is started anew on the same files needs no reload', async ({ site, visit }) => {
        const [page, other] = [await visit(), await visit('/other')];
        await page.fill('[name=name]', 'Grace');
        await change(site, [page, other], 'The footer', 'Another footer');
        const rendered = [];
        page.on('request', (request) => rendered.push(request.url()));
        await site.stop();
        await site.start();
        await page.waitForEvent('console', (message) => message.text() === 'rekindle: connection regained');
        await site.edit('static/app.css', 'rgb(0, 0, 1)', 'rgb(9, 9, 9)');
        await until(page, computed, 'rgb(9, 9, 9)', ['body', 'color']);
        assert.deepEqual(rendered.filter((url) => !url.includes('/static/') && !url.includes('/_rekindle/')), []);
        await change(site, [page, other], 'Another footer', 'After the restart');
        assert.deepEqual([page.loads, other.loads], [1, 1]);
        assert.equal(await page.inputValue('[name=name]'), 'Grace');
    });

    scenario('what changed while the server was away is not missed, and a reload is one', async ({ site, visit }) => {
        const page = await visit();
        await page.fill('[name=name]', 'Grace');
        await site.stop();
        await site.edit('templates/partial.html', 'A partial', 'While it was away');
        await site.start();
        await until(page, text, 'While it was away', '#partial');
        await until(page, () => document.querySelector('[name=name]').value, 'Grace');
        await change(site, [page], 'The footer', 'Another footer');
        assert.equal(page.loads, 2);
    });

    scenario('a page that is gone back to is up to date', async ({ site, visit }) => {
        const page = await visit();
        await page.goto(`${site.url}/other`);
        await change(site, [page], 'The footer', 'Another footer');
        await page.goBack();
        await until(page, text, 'Another footer', '#footer');
        await change(site, [page], 'Another footer', 'A third');
    });
});
