import assert from 'node:assert/strict';
import { text, until } from './support/browser.js';
import { suite } from './support/suite.js';

const SCRIPT = '<script>window.version = 1;</script>';

const withScript = {
    prepare: (site) => site.edit('templates/layout.html', '</head>', `${SCRIPT}</head>`),
};

const notice = () => document.querySelector('rekindle-overlay')?.shadowRoot.querySelector('.note p')?.textContent ?? null;

suite('reloads', (scenario) => {
    scenario('a changed script loads the page anew, with scroll and form kept but for passwords', async ({ site, visit }) => {
        const page = await visit();
        await page.fill('[name=name]', 'Grace');
        await page.fill('[name=password]', 'a secret');
        await page.check('[name=agree]');
        await page.selectOption('[name=colour]', 'blue');
        await page.fill('[name=text]', 'What was typed');
        await page.click('#details summary');
        await page.evaluate(() => {
            document.querySelector('#scrolled').scrollTop = 40;
            scrollTo(0, 700);
            document.querySelector('[name=text]').focus({ preventScroll: true });
            document.querySelector('[name=text]').setSelectionRange(2, 4);
        });
        await site.edit('templates/layout.html', 'version = 1', 'version = 2');
        await until(page, () => window.version, 2);
        await page.waitForLoadState('load');
        const state = () => {
            const { elements } = document.querySelector('#form');
            const { name, agree, colour, text: area } = elements;
            return [
                name.value, elements.password.value, agree.checked, colour.value, area.value,
                document.querySelector('#details').open, document.querySelector('#scrolled').scrollTop, scrollY,
                document.activeElement.name, area.selectionStart, area.selectionEnd,
            ];
        };
        await until(page, state, ['Grace', '', true, 'blue', 'What was typed', true, 40, 700, 'text', 2, 4]);
        assert.equal(page.loads, 2);
        assert.deepEqual(page.errors, []);
        const stored = await page.evaluate(() => JSON.stringify({ ...sessionStorage }));
        assert.equal(stored.includes('a secret'), false);
    }, withScript);

    scenario('a saved script or module loads the page anew, with scroll and form kept', async ({ site, visit }) => {
        const page = await visit();
        for (const [loads, file] of [[2, 'app.js'], [3, 'part.js']]) {
            await page.fill('[name=name]', `Grace ${loads}`);
            await page.evaluate(() => scrollTo(0, 700));
            await site.write(`static/${file}`, `window.${file.split('.')[0]} = 2;\n${file === 'app.js' ? 'import "./part.js";' : ''}`);
            await until(page, (name) => window[name], 2, file.split('.')[0]);
            await until(page, () => [document.querySelector('[name=name]').value, scrollY], [`Grace ${loads}`, 700]);
            assert.equal(page.loads, loads);
        }
    }, {
        prepare: async (site) => {
            await site.write('static/app.js', 'window.app = 1;\nimport "./part.js";');
            await site.write('static/part.js', 'window.part = 1;');
            await site.edit('templates/layout.html', '</head>', '<script type="module" src="/static/app.js"></script></head>');
        },
    });

    scenario('a script that is new or gone loads the page anew', async ({ site, visit }) => {
        const page = await visit();
        await site.edit('templates/layout.html', '</head>', `${SCRIPT}</head>`);
        await until(page, () => window.version, 1);
        await site.edit('templates/layout.html', SCRIPT, '');
        await until(page, () => window.version, undefined);
        await until(page, () => document.readyState, 'complete');
        assert.equal(page.loads, 3);
    });

    scenario('data in a script element is no script', async ({ site, visit }) => {
        const page = await visit();
        const data = '<script type="application/json" id="data">';
        await site.edit('templates/layout.html', '</head>', `${data}1</script></head>`);
        await until(page, text, '1', '#data');
        await site.edit('templates/layout.html', `${data}1`, `${data}2`);
        await until(page, text, '2', '#data');
        assert.equal(page.loads, 1);
    });

    scenario('a page that scripts took apart is loaded anew', async ({ site, visit }) => {
        const page = await visit();
        await page.fill('[name=name]', 'Grace');
        await page.evaluate(() => document.querySelector('#partial').remove());
        await site.edit('templates/partial.html', 'A partial', 'Another partial');
        await until(page, text, 'Another partial', '#partial');
        await until(page, () => document.querySelector('[name=name]').value, 'Grace');
        assert.equal(page.loads, 2);
    });

    scenario('a page that scripts gave another address is loaded anew there', async ({ site, visit }) => {
        const page = await visit();
        await page.evaluate(() => history.pushState(null, '', '/other'));
        await site.edit('templates/layout.html', 'The footer', 'Another footer');
        await until(page, text, 'Another footer', '#footer');
        await until(page, text, 'Another page', '#title');
    });

    scenario('a form that was sent is not sent again', async ({ site, visit }) => {
        const page = await visit();
        await page.click('#form button');
        await page.waitForLoadState('load');
        const sent = [];
        page.on('request', (request) => sent.push(request.method()));
        const loads = page.loads;
        await site.edit('static/app.css', 'rgb(0, 0, 1)', 'rgb(9, 9, 9)');
        await until(page, () => getComputedStyle(document.body).color, 'rgb(9, 9, 9)');
        await site.edit('templates/partial.html', 'A partial', 'Another partial');
        await page.waitForFunction(() => document.querySelector('rekindle-overlay'));
        assert.match(await page.evaluate(notice), /^This page is out of date\. It answers a form/);
        assert.equal(await page.evaluate(text, '#partial'), 'A partial');
        await page.locator('rekindle-overlay button').click();
        assert.equal(await page.evaluate(notice), null);
        await site.write('static/app.js', 'window.version = 2;');
        await page.waitForSelector('rekindle-overlay .note');
        assert.deepEqual([page.loads, sent.includes('POST')], [loads, false]);
    }, { prepare: (site) => site.write('static/app.js', 'window.version = 1;') });

    scenario('a page with the script in it twice runs it once', async ({ site, visit }) => {
        const page = await visit();
        await page.evaluate(() => {
            const again = document.createElement('script');
            again.src = document.querySelector('script[src*="live.js"]').src;
            document.head.append(again);
            return new Promise((done) => { again.onload = done; });
        });
        let renders = 0;
        page.on('request', (request) => { renders += request.url() === `${site.url}/` ? 1 : 0; });
        await site.edit('templates/partial.html', 'A partial', 'Another partial');
        await until(page, text, 'Another partial', '#partial');
        await site.edit('templates/partial.html', 'Another partial', 'A third');
        await until(page, text, 'A third', '#partial');
        assert.equal(renders, 2);
    });

    scenario('no global is left in a page but a guard that is not listed', async ({ visit }) => {
        const page = await visit();
        const names = () => {
            const frame = document.body.appendChild(document.createElement('iframe'));
            const usual = new Set(Object.getOwnPropertyNames(frame.contentWindow));
            frame.remove();
            return Object.getOwnPropertyNames(window).filter((name) => !usual.has(name) && !/^\d+$/.test(name));
        };
        const found = await page.evaluate(names);
        assert.deepEqual(found.filter((name) => /rekindle|live|page|mirror|overlay|channel/i.test(name)), []);
    });
});
