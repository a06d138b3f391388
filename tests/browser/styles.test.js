import assert from 'node:assert/strict';
import { computed, until } from './support/browser.js';
import { suite } from './support/suite.js';

const colour = (page, selector, value) => until(page, computed, value, [selector, 'color']);

const sheets = () => document.querySelectorAll('link[rel~="stylesheet"]').length;

// Something that only a page that was not loaded anew still has, along with what was typed and where it was scrolled.
async function settleIn(page) {
    await page.fill('[name=name]', 'Grace');
    await page.evaluate(() => {
        window.sameLoad = true;
        scrollTo(0, 500);
    });
}

async function assertKept(page) {
    const kept = await page.evaluate(() => [window.sameLoad, document.querySelector('[name=name]').value, scrollY]);
    assert.deepEqual(kept, [true, 'Grace', 500]);
    assert.deepEqual(page.errors, []);
}

suite('stylesheets', (scenario) => {
    scenario('a saved stylesheet is swapped, with input and scroll kept', async ({ site, visit }) => {
        const page = await visit();
        await settleIn(page);
        await site.edit('static/app.css', 'rgb(0, 0, 1)', 'rgb(9, 9, 9)');
        await colour(page, 'body', 'rgb(9, 9, 9)');
        await until(page, sheets, 2);
        assert.match(await page.getAttribute('#sheet', 'href'), /^\/static\/app\.css\?v=1&rekindle=\w+$/);
        await assertKept(page);
    });

    scenario('each of many saves arrives, and one link is left', async ({ site, visit }) => {
        const page = await visit();
        await settleIn(page);
        for (let shade = 1; shade <= 10; shade += 1) {
            await site.edit('static/app.css', `rgb(0, 0, ${shade})`, `rgb(0, 0, ${shade + 1})`);
        }
        await colour(page, 'body', 'rgb(0, 0, 11)');
        await until(page, sheets, 2);
        await assertKept(page);
    });

    scenario('a stylesheet imported by another is swapped', async ({ site, visit }) => {
        const page = await visit();
        await settleIn(page);
        await site.edit('static/imported.css', 'rgb(0, 0, 2)', 'rgb(9, 9, 9)');
        await colour(page, '#title', 'rgb(9, 9, 9)');
        await site.edit('static/imported.css', 'rgb(9, 9, 9)', 'rgb(8, 8, 8)');
        await colour(page, '#title', 'rgb(8, 8, 8)');
        const rules = () => [...document.styleSheets].map((sheet) => sheet.cssRules[0].cssText).join();
        await until(page, (read) => (0, eval)(`(${read})`)().match(/imported\.css/g).length, 1, rules.toString());
        await assertKept(page);
    });

    scenario('a stylesheet imported by a style element is swapped, with its media kept', async ({ site, visit }) => {
        const page = await visit();
        await settleIn(page);
        await site.edit('static/inline.css', 'rgb(0, 0, 3)', 'rgb(9, 9, 9)');
        await colour(page, '#footer', 'rgb(9, 9, 9)');
        const rule = () => {
            const { cssRules } = document.querySelector('style').sheet;
            return [cssRules.length, cssRules[0].media.mediaText];
        };
        await until(page, rule, [1, 'screen']);
        await assertKept(page);
    });

    scenario('a stylesheet that does not load leaves the one before', async ({ site, visit }) => {
        const page = await visit();
        await page.route('**/app.css*', (route) => route.abort());
        const failed = page.waitForEvent('requestfailed');
        await site.edit('static/app.css', 'rgb(0, 0, 1)', 'rgb(9, 9, 9)');
        await failed;
        await until(page, sheets, 2);
        await colour(page, 'body', 'rgb(0, 0, 1)');
        await page.unroute('**/app.css*');
        await site.edit('static/app.css', 'rgb(9, 9, 9)', 'rgb(8, 8, 8)');
        await colour(page, 'body', 'rgb(8, 8, 8)');
    });

    scenario('the hash of a stylesheet that is gone is no obstacle', async ({ site, visit }) => {
        const page = await visit();
        await page.evaluate(() => document.querySelector('#sheet').setAttribute('integrity', 'sha256-AAAA'));
        await site.edit('static/app.css', 'rgb(0, 0, 1)', 'rgb(9, 9, 9)');
        await colour(page, 'body', 'rgb(9, 9, 9)');
    });

    scenario('a stylesheet that the page no longer names is gone, and one that it names now is there', async ({ site, visit }) => {
        const page = await visit();
        await settleIn(page);
        const link = '<link rel="stylesheet" href="/static/importing.css">';
        await colour(page, '#title', 'rgb(0, 0, 2)');
        await site.edit('templates/layout.html', link, '');
        await colour(page, '#title', 'rgb(0, 0, 1)');
        await site.edit('templates/layout.html', '</head>', `${link}</head>`);
        await colour(page, '#title', 'rgb(0, 0, 2)');
        await assertKept(page);
    });

    scenario('the styles of a file that is deleted are gone', async ({ site, visit }) => {
        const page = await visit();
        await page.fill('[name=name]', 'Grace');
        await site.delete('static/imported.css');
        await colour(page, '#title', 'rgb(0, 0, 1)');
        await until(page, () => document.querySelector('[name=name]').value, 'Grace');
    });

    scenario('a style element is changed with its page', async ({ site, visit }) => {
        const page = await visit();
        await settleIn(page);
        await site.edit('templates/layout.html', '</style>', '#title { color: rgb(9, 9, 9) }</style>');
        await colour(page, '#title', 'rgb(9, 9, 9)');
        await colour(page, '#footer', 'rgb(0, 0, 3)');
        await assertKept(page);
    });

    scenario('media, alternate and disabled stylesheets stay what they are', async ({ site, visit }) => {
        const page = await visit();
        await page.evaluate(async () => {
            const add = (attributes) => new Promise((done) => {
                const link = Object.assign(document.createElement('link'), { onload: done });
                Object.entries({ href: '/static/app.css', ...attributes })
                    .forEach(([name, value]) => link.setAttribute(name, value));
                document.head.append(link);
            });
            await add({ rel: 'stylesheet', media: 'print', class: 'extra' });
            document.querySelector('.extra').sheet.disabled = true;
            await add({ rel: 'alternate stylesheet', title: 'Other', class: 'extra' });
            const off = Object.assign(document.createElement('link'), { rel: 'stylesheet', className: 'extra' });
            off.setAttribute('disabled', '');
            off.href = '/static/app.css';
            document.head.append(off);
        });
        await site.edit('static/app.css', 'rgb(0, 0, 1)', 'rgb(9, 9, 9)');
        await colour(page, 'body', 'rgb(9, 9, 9)');
        await until(page, sheets, 5);
        const extra = () => [...document.querySelectorAll('.extra')].map((link) => [
            link.media, link.rel, link.title, link.hasAttribute('disabled'), link.sheet ? link.sheet.disabled : null,
            link.href.includes('rekindle='),
        ]);
        await until(page, extra, [
            ['print', 'stylesheet', '', false, true, true],
            ['', 'alternate stylesheet', 'Other', false, false, true],
            ['', 'stylesheet', '', true, null, true],
        ]);
    });

    scenario('a stylesheet in a shadow tree is swapped', async ({ site, visit }) => {
        const page = await visit();
        await page.evaluate(() => {
            const root = document.querySelector('#footer').attachShadow({ mode: 'open' });
            root.innerHTML = '<link rel="stylesheet" href="/static/inline.css"><b id="footer">In the shadow</b>';
        });
        const inShadow = () => {
            const { shadowRoot } = document.querySelector('#footer');
            return getComputedStyle(shadowRoot.querySelector('b')).color;
        };
        await until(page, inShadow, 'rgb(0, 0, 3)');
        await site.edit('static/inline.css', 'rgb(0, 0, 3)', 'rgb(9, 9, 9)');
        await until(page, inShadow, 'rgb(9, 9, 9)');
    });

    scenario('a stylesheet of another origin with the same path is left alone', async ({ site, visit }) => {
        const page = await visit();
        const other = `${site.url.replace('127.0.0.1', 'localhost')}/static/app.css`;
        await page.evaluate((href) => {
            document.head.append(Object.assign(document.createElement('link'), { rel: 'stylesheet', id: 'other', href }));
        }, other);
        await site.edit('static/inline.css', 'rgb(0, 0, 3)', 'rgb(9, 9, 9)');
        await site.edit('static/app.css', 'rgb(0, 0, 1)', 'rgb(9, 9, 9)');
        await until(page, () => document.querySelector('#sheet').href.includes('rekindle='), true);
        assert.equal(await page.getAttribute('#other', 'href'), other);
    });
});
