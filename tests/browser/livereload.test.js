import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { computed, open, text, until, within } from './support/browser.js';
import { FORMATS } from './support/images.js';
import { suite } from './support/suite.js';

const THEIRS = new URL('./node_modules/livereload-js/dist/livereload.js', import.meta.url);

// Another server, whose page has `head` in it, and LiveReload's own client at `/livereload.js`.
async function elsewhere(head) {
    const client = await readFile(THEIRS);
    const server = createServer((request, response) => {
        const isScript = request.url.startsWith('/livereload.js');
        response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html');
        response.end(isScript ? client : `<!DOCTYPE html><head>${head}</head><body id="footer"><p id="title">Elsewhere</p></body>`);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const close = () => {
        server.close();
        server.closeAllConnections();
    };
    return { url: `http://127.0.0.1:${server.address().port}/`, close };
}

// Resolves when a server has greeted the page: from then on it is told of every change.
function greeting(page) {
    return new Promise((done) => {
        page.on('websocket', (socket) => {
            socket.on('framereceived', ({ payload }) => payload.includes('"hello"') && done());
        });
    });
}

async function assertFollows(site, browser, url) {
    let greeted;
    const page = await open(browser, url, (opened) => { greeted = greeting(opened); });
    await within(greeted, 'a greeting');
    await page.evaluate(() => { window.sameLoad = true; });
    await site.edit('static/inline.css', 'rgb(0, 0, 3)', 'rgb(9, 9, 9)');
    await until(page, computed, 'rgb(9, 9, 9)', ['#footer', 'color']);
    await until(page, () => document.querySelectorAll('link').length, 1);
    assert.equal(await page.evaluate(() => window.sameLoad), true);
    await site.edit('templates/partial.html', 'A partial', 'Another partial');
    await until(page, () => window.sameLoad, undefined);
    assert.deepEqual(page.errors, []);
}

suite('LiveReload', (scenario) => {
    for (const [name, script] of [
        ['LiveReload\'s own client', (site) => `<script src="/livereload.js?host=127.0.0.1&port=${new URL(site.url).port}"></script>`],
        ['the script at /livereload.js', (site) => `<script src="${site.url}/livereload.js"></script>`],
    ]) {
        scenario(`${name} in a page of another server swaps styles and loads pages anew`, async ({ site, browser }) => {
            const sheet = `<link rel="stylesheet" href="${site.url}/static/inline.css">`;
            const other = await elsewhere(sheet + script(site));
            try {
                await assertFollows(site, browser, other.url);
            } finally {
                other.close();
            }
        });
    }

    scenario('LiveReload\'s own client is told of images, and exchanges them', async ({ site, browser }) => {
        const other = await elsewhere(`<script src="/livereload.js?host=127.0.0.1&port=${new URL(site.url).port}"></script>`);
        try {
            let greeted;
            const page = await open(browser, other.url, (opened) => { greeted = greeting(opened); });
            await within(greeted, 'a greeting');
            await page.evaluate((src) => {
                window.sameLoad = true;
                document.body.append(Object.assign(new Image(), { id: 'picture', src }));
            }, `${site.url}/static/picture.gif`);
            await site.write('static/picture.gif', FORMATS.gif()[1]);
            await until(page, () => document.querySelector('#picture').src.includes('livereload='), true);
            assert.equal(await page.evaluate(() => window.sameLoad), true);
        } finally {
            other.close();
        }
    }, { prepare: (site) => site.write('static/picture.gif', FORMATS.gif()[0]) });

    scenario('a page that includes /livereload.js itself is live', async ({ site, browser, visit }) => {
        await browser.route(`${site.url}/`, async (route) => {
            const response = await route.fetch();
            const body = (await response.text()).replace(/<script src="\/_rekindle[^>]*><\/script>/, '<script src="/livereload.js"></script>');
            await route.fulfill({ response, body });
        });
        // A page without a revision is told of what changes once it has learned one.
        await browser.addInitScript(() => {
            window.SharedWorker = class extends window.SharedWorker {
                constructor(...given) {
                    super(...given);
                    this.port.addEventListener('message', ({ data }) => { window.hasRevision ||= Boolean(data.revision); });
                }
            };
        });
        const page = await visit();
        await page.waitForFunction(() => window.hasRevision);
        await site.edit('static/app.css', 'rgb(0, 0, 1)', 'rgb(9, 9, 9)');
        await until(page, computed, 'rgb(9, 9, 9)', ['body', 'color']);
        await site.edit('templates/partial.html', 'A partial', 'Another partial');
        await until(page, text, 'Another partial', '#partial');
        assert.equal(page.loads, 1);
        await browser.unroute(`${site.url}/`);
    });
});
