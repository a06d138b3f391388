import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { overlay, text, until } from './support/browser.js';
import { suite } from './support/suite.js';

const filled = async (page) => {
    await page.fill('[name=name]', 'Grace');
    await page.click('#details summary');
    await page.focus('[name=text]');
    await page.evaluate(() => {
        window.sameLoad = true;
        document.querySelector('#dialog').show();
        document.querySelector('#scrolled').scrollTop = 40;
        scrollTo(0, 300);
        document.querySelector('[name=text]').focus({ preventScroll: true });
    });
};

const state = () => [
    window.sameLoad, document.querySelector('[name=name]').value, document.querySelector('#details').open,
    document.querySelector('#dialog').open, document.activeElement.name, scrollY,
];

suite('pages', (scenario) => {
    scenario('a saved template is morphed into the page, and what was done there is kept', async ({ site, visit }) => {
        const page = await visit();
        await filled(page);
        const before = await page.evaluate(state);
        await site.edit('templates/partial.html', 'A partial', 'Another one');
        await until(page, text, 'Another one', '#partial');
        assert.deepEqual(await page.evaluate(state), before);
        assert.equal(page.loads, 1);
        assert.deepEqual(page.errors, []);
    });

    scenario('a broken template is shown over the page until it is mended', async ({ site, visit }) => {
        const page = await visit();
        await filled(page);
        await site.edit('templates/partial.html', 'A partial', '{% nonsense %}');
        await page.waitForFunction(
            () => document.querySelector('rekindle-overlay')?.shadowRoot.querySelector('.panel')?.innerText
                .includes('templates/partial.html:1'));
        await site.edit('templates/partial.html', '{% nonsense %}', 'A partial');
        await until(page, overlay, null);
        assert.equal((await page.evaluate(state))[0], true);
        assert.deepEqual(page.errors, []);
    });

    scenario('a page that cannot be rendered says why, and heals itself', async ({ site, visit }) => {
        const page = await visit('/missing');
        assert.match(await page.textContent('body'), /missing\.html/);
        await writeFile(`${site.directory}/templates/missing.html`, '<html><head></head><body><p id="it">It is there</p></body></html>');
        await until(page, text, 'It is there', '#it');
    });

    scenario('a server that is started anew on the same files needs no reload', async ({ site, visit }) => {
        const page = await visit();
        await filled(page);
        await site.stop();
        await site.start();
        await site.edit('templates/partial.html', 'A partial', 'After the restart');
        await until(page, text, 'After the restart', '#partial');
        assert.equal(page.loads, 1);
        assert.equal((await page.evaluate(state))[1], 'Grace');
    });

    scenario('what changed while the server was away is not missed', async ({ site, visit }) => {
        const page = await visit();
        await filled(page);
        await site.stop();
        await site.edit('templates/partial.html', 'A partial', 'While it was away');
        await site.start();
        await until(page, text, 'While it was away', '#partial');
        assert.equal(await page.inputValue('[name=name]'), 'Grace');
    });

    scenario('two tabs have one connection', async ({ site, visit }) => {
        const [first, second] = [await visit(), await visit('/other')];
        await site.edit('templates/layout.html', 'The footer', 'Another footer');
        await until(first, text, 'Another footer', '#footer');
        await until(second, text, 'Another footer', '#footer');
        const source = await readFile(`${site.directory}/templates/layout.html`, 'utf8');
        assert.match(source, /Another footer/);
        assert.deepEqual([first.loads, second.loads], [1, 1]);
    });
});
