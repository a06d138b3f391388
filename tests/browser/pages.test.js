import assert from 'node:assert/strict';
import { computed, eventually, overlay, text, until } from './support/browser.js';
import { suite } from './support/suite.js';

// A style, a template and a mistake come through to the page at `path`.
async function assertLive(site, page) {
    await page.fill('[name=name]', 'Grace');
    await site.edit('static/app.css', 'rgb(0, 0, 1)', 'rgb(9, 9, 9)');
    await until(page, computed, 'rgb(9, 9, 9)', ['body', 'color']);
    await site.edit('templates/partial.html', 'A partial', '{% nonsense %}');
    await page.waitForSelector('rekindle-overlay .panel');
    await site.edit('templates/partial.html', '{% nonsense %}', 'Mended');
    await until(page, overlay, null);
    await until(page, text, 'Mended', '#partial');
    assert.equal(await page.inputValue('[name=name]'), 'Grace');
    assert.deepEqual([page.loads, page.errors], [1, []]);
}

suite('pages', (scenario) => {
    for (const path of ['/', '/gzip', '/br', '/zstd']) {
        scenario(`the page at ${path} is live`, async ({ site, visit }) => {
            await assertLive(site, await visit(path));
        });
    }

    for (const [path, name] of [['/csp', 'a policy of nonces'], ['/trusted', 'a policy that trusts no text']]) {
        scenario(`a page under ${name} is live, and nothing of it breaks the policy`, async ({ site, browser, visit }) => {
            await browser.addInitScript(() => {
                window.violations = [];
                addEventListener('securitypolicyviolation', (event) => {
                    window.violations.push(`${event.violatedDirective} ${event.blockedURI}`);
                });
            });
            const page = await visit(path);
            await site.edit('static/app.css', 'rgb(0, 0, 1)', 'rgb(9, 9, 9)');
            await eventually(() => page.evaluate(() => getComputedStyle(document.body).color), 'rgb(9, 9, 9)');
            await site.edit('templates/partial.html', 'A partial', '{% nonsense %}');
            await page.waitForSelector('rekindle-overlay .panel');
            assert.equal(await page.evaluate(titleSize), '17px');
            await site.edit('templates/partial.html', '{% nonsense %}', 'Mended');
            await eventually(() => page.textContent('#partial'), 'Mended');
            assert.deepEqual([page.loads, page.errors], [1, []]);
            assert.deepEqual(await page.evaluate(() => window.violations), []);
        }, {
            prepare: (site) => site.edit('templates/layout.html', '<style>@import "/static/inline.css" screen;</style>', ''),
        });
    }

    scenario('a page in a frame is live, and leaves what is wrong to the page around it', async ({ site, visit }) => {
        const page = await visit();
        const frame = page.frame({ url: /other/ });
        await frame.evaluate(() => { window.sameLoad = true; });
        await site.edit('templates/layout.html', 'The footer', 'Another footer');
        for (const one of [page, frame]) await until(one, text, 'Another footer', '#footer');
        await site.edit('templates/partial.html', 'A partial', '{% nonsense %}');
        await page.waitForSelector('rekindle-overlay .panel');
        assert.equal(await frame.evaluate(overlay), null);
        assert.equal(await frame.evaluate(() => window.sameLoad), true);
    }, { prepare: (site) => site.edit('templates/page.html', '<div class="space">', '<iframe src="/other"></iframe><div class="space">') });

    scenario('a fragment that a script of the page asks for is left alone', async ({ visit }) => {
        const page = await visit();
        const ask = (headers) => page.evaluate(async (sent) => (await fetch('/other', { headers: sent })).text(), headers);
        assert.match(await ask({ Accept: 'text/html' }), /live\.js/);
        for (const headers of [{ 'HX-Request': 'true' }, { 'Turbo-Frame': 'main' }]) {
            assert.doesNotMatch(await ask({ Accept: 'text/html', ...headers }), /live\.js/);
        }
    });

    scenario('a page without a head is live', async ({ site, visit }) => {
        const page = await visit('/plain-html');
        await site.edit('templates/headless.html', 'A page without a head', 'Still without one');
        await until(page, text, 'Still without one', '#headless');
        assert.equal(page.loads, 1);
    });

    scenario('a stylesheet with a fingerprint is swapped for the one with the next', async ({ site, visit }) => {
        const page = await visit();
        const first = await page.getAttribute('#printed', 'href');
        assert.match(first, /^\/static\/inline[.-][\w.-]+\.css$/);
        await site.edit('static/inline.css', 'rgb(0, 0, 3)', 'rgb(9, 9, 9)');
        await until(page, computed, 'rgb(9, 9, 9)', ['#footer', 'color']);
        assert.notEqual(new URL(await page.getAttribute('#printed', 'href'), site.url).pathname, first);
        await site.edit('static/inline.css', 'rgb(9, 9, 9)', 'rgb(8, 8, 8)');
        await until(page, computed, 'rgb(8, 8, 8)', ['#footer', 'color']);
        assert.equal(page.loads, 1);
    }, {
        prepare: (site) => site.edit('templates/layout.html', '<style>@import "/static/inline.css" screen;</style>',
            '<link id="printed" rel="stylesheet" href="{{ asset(\'inline.css\') }}">'),
    });
});

function titleSize() {
    const { shadowRoot } = document.querySelector('rekindle-overlay');
    return getComputedStyle(shadowRoot.querySelector('h2')).fontSize;
}
