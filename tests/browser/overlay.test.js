import assert from 'node:assert/strict';
import { overlay, text, until } from './support/browser.js';
import { suite } from './support/suite.js';

const BROKEN = '{% nonsense %}';

// Everything that the overlay says of where and what.
const shown = () => {
    const root = document.querySelector('rekindle-overlay')?.shadowRoot;
    return root?.querySelector('.panel') ? [...root.querySelectorAll('.place')].map((place) => place.textContent) : null;
};

async function breakPartial(site, page, code = BROKEN) {
    await site.edit('templates/partial.html', 'A partial', code);
    await until(page, shown, ['templates/partial.html:1:20']);
}

// The parts of the overlay that are cut by the window or lie outside of it.
const cut = () => {
    const root = document.querySelector('rekindle-overlay').shadowRoot;
    const { clientWidth, clientHeight } = document.documentElement;
    return [...root.querySelectorAll('.panel, header, button, h1, h2, .place, .message, .frame')]
        .filter((part) => {
            const { left, right, top, bottom } = part.getBoundingClientRect();
            const isInList = part.closest('.problems');
            return left < 0 || right > clientWidth || (!isInList && (top < 0 || bottom > clientHeight + 1));
        })
        .map((part) => part.className || part.localName);
};

suite('the overlay', (scenario) => {
    scenario('it comes with what is wrong, and goes when that is mended', async ({ site, visit }) => {
        const page = await visit();
        await page.fill('[name=name]', 'Grace');
        await breakPartial(site, page);
        const said = await page.evaluate(overlay);
        assert.match(said, /nonsense/);
        assert.match(said, /<p id="partial">\{% nonsense %\}<\/p>/);
        assert.equal(await page.evaluate(text, '#partial'), 'A partial');
        await site.edit('templates/partial.html', BROKEN, 'Mended');
        await until(page, overlay, null);
        await until(page, text, 'Mended', '#partial');
        assert.equal(await page.inputValue('[name=name]'), 'Grace');
        assert.deepEqual([page.loads, page.errors], [1, []]);
    });

    scenario('it takes no focus, and Escape hides it until something else is wrong', async ({ site, visit }) => {
        const page = await visit();
        await page.focus('[name=name]');
        await breakPartial(site, page);
        assert.equal(await page.evaluate(() => document.activeElement.name), 'name');
        await page.keyboard.type('Still typing');
        await page.keyboard.press('Escape');
        assert.equal(await page.evaluate(overlay), null);
        assert.match(await page.inputValue('[name=name]'), /Still typing/);
        await page.reload();
        await site.edit('static/app.css', 'rgb(0, 0, 1)', 'rgb(9, 9, 9)');
        await until(page, () => getComputedStyle(document.body).color, 'rgb(9, 9, 9)');
        assert.equal(await page.evaluate(overlay), null, 'hidden is hidden, also after a reload');
        await site.edit('templates/other.html', 'Another page', BROKEN);
        await page.waitForFunction(() => document.querySelector('rekindle-overlay'));
        await until(page, () => document.querySelector('rekindle-overlay').shadowRoot.querySelectorAll('article').length, 2);
    });

    scenario('its button hides it, by mouse and by keyboard', async ({ site, visit }) => {
        const page = await visit();
        await breakPartial(site, page);
        await page.locator('rekindle-overlay button').click();
        assert.equal(await page.evaluate(overlay), null);
        await site.edit('templates/partial.html', BROKEN, '{% rubbish %}');
        await page.locator('rekindle-overlay button').focus();
        await page.keyboard.press('Enter');
        assert.equal(await page.evaluate(overlay), null);
    });

    scenario('it is there after a reload, on every page, and while the server is started anew', async ({ site, visit }) => {
        const page = await visit();
        await breakPartial(site, page);
        await page.reload();
        await until(page, shown, ['templates/partial.html:1:20']);
        const other = await visit('/other');
        await until(other, shown, ['templates/partial.html:1:20']);
        await site.stop();
        assert.deepEqual(await other.evaluate(shown), ['templates/partial.html:1:20']);
        await site.start();
        await other.reload();
        await until(other, shown, ['templates/partial.html:1:20']);
        await site.edit('templates/partial.html', BROKEN, 'Mended');
        await until(other, overlay, null);
        await until(page, text, 'Mended', '#partial');
    });

    scenario('text is never markup', async ({ site, visit }) => {
        const page = await visit();
        await breakPartial(site, page, '{% "<img src=x onerror=window.hacked=1>" %}<script>window.hacked=1</script>');
        const found = () => {
            const { shadowRoot } = document.querySelector('rekindle-overlay');
            return [shadowRoot.querySelectorAll('img, script').length, window.hacked];
        };
        assert.deepEqual(await page.evaluate(found), [0, undefined]);
        assert.match(await page.evaluate(overlay), /<img src=x onerror=window\.hacked=1>/);
    });

    scenario('it is in front of a modal dialog, and styles of the page do not reach it', async ({ site, visit }) => {
        await site.write('static/app.css', 'html * { display: none !important; color: red !important; font-size: 99px !important }');
        const page = await visit();
        await page.evaluate(() => document.querySelector('#dialog').showModal());
        await breakPartial(site, page);
        const looks = () => {
            const host = document.querySelector('rekindle-overlay');
            const title = host.shadowRoot.querySelector('h2');
            const { width, height } = host.getBoundingClientRect();
            return [getComputedStyle(title).fontSize, width, height, host.matches(':popover-open')];
        };
        assert.deepEqual(await page.evaluate(looks), ['17px', 800, 600, true]);
        await page.keyboard.press('Escape');
        assert.equal(await page.evaluate(overlay), null);
        assert.equal(await page.evaluate(() => document.querySelector('#dialog').open), true, 'Escape was meant for it');
    });

    scenario('nothing of it is cut, from a phone to a wide screen, in light and dark', async ({ site, visit }) => {
        const page = await visit();
        const long = `${'a long line '.repeat(60)}{% nonsense %}`;
        await site.edit('templates/partial.html', '<p id="partial">A partial</p>', `<!--\n\n-->\n<p>${long}</p>\n<p>after</p>\n`);
        await site.edit('templates/other.html', 'Another page', BROKEN);
        await until(page, () => document.querySelector('rekindle-overlay')?.shadowRoot.querySelectorAll('article').length, 2);
        for (const [width, height] of [[320, 568], [390, 844], [800, 600], [1920, 1080]]) {
            for (const colorScheme of ['light', 'dark']) {
                await page.setViewportSize({ width, height });
                await page.emulateMedia({ colorScheme });
                assert.deepEqual(await page.evaluate(cut), [], `${width} ${colorScheme}`);
                const frame = () => [...document.querySelector('rekindle-overlay').shadowRoot.querySelectorAll('.frame')]
                    .some((one) => one.scrollWidth > one.clientWidth);
                assert.equal(await page.evaluate(frame), true, 'long lines scroll inside');
            }
        }
    });

    scenario('what is wrong at the end of a long line is in sight', async ({ site, visit }) => {
        const page = await visit();
        await site.edit('templates/partial.html', 'A partial', `${'a long line '.repeat(60)}{% nonsense %}`);
        const isInSight = () => {
            const frame = document.querySelector('rekindle-overlay')?.shadowRoot.querySelector('.frame')
                ?? document.querySelector('pre');
            if (!frame) return null;
            const [mark, around] = [frame.querySelector('mark'), frame].map((one) => one.getBoundingClientRect());
            return mark.left > around.left && mark.right < around.right;
        };
        await until(page, isInSight, true);
        await site.stop();
        await site.start();
        await page.reload();
        await page.waitForSelector('html[data-rekindle=error]');
        await until(page, isInSight, true);
    });

    scenario('a configuration that is no longer valid is shown with its place, and its last good values are used', async ({ site, visit }) => {
        const page = await visit();
        await page.fill('[name=name]', 'Grace');
        await site.edit('config/app.toml', 'size = 1', 'size = ]');
        await until(page, shown, ['config/app.toml:1:8']);
        assert.match(await page.evaluate(overlay), /size = \]/);
        await site.edit('config/app.toml', 'size = ]', 'size = 2');
        await until(page, overlay, null);
        assert.equal(await page.inputValue('[name=name]'), 'Grace');
        assert.deepEqual([page.loads, page.errors], [1, []]);
    }, { prepare: (site) => site.create('config/app.toml', 'size = 1\n') });

    scenario('a partial that is in use and deleted is shown with who includes it, and pages stay', async ({ site, visit }) => {
        const page = await visit();
        const partial = await site.read('templates/partial.html');
        await site.delete('templates/partial.html');
        await page.waitForSelector('rekindle-overlay .panel');
        assert.match(await page.evaluate(overlay), /partial\.html/);
        assert.match((await page.evaluate(shown)).join(), /templates\/page\.html:5/);
        await page.reload();
        assert.equal(await page.evaluate(text, '#partial'), 'A partial');
        await site.write('templates/partial.html', partial);
        await until(page, overlay, null);
    });

    scenario('the templates by way of which a mistake was reached are named', async ({ site, visit }) => {
        const page = await visit();
        await site.create('templates/inner.html', 'Inside');
        await site.edit('templates/partial.html', 'A partial', '{% include "inner.html" %}');
        await until(page, text, 'Inside', '#partial');
        await site.delete('templates/inner.html');
        await page.waitForSelector('rekindle-overlay .chain');
        const chain = await page.locator('rekindle-overlay .chain li').allTextContents();
        assert.deepEqual(chain, ['page.html:5', 'partial.html:1']);
    });

    scenario('a template that is compiled into the program needs a rebuild, until it is as it was', async ({ site, visit }) => {
        const page = await visit();
        await site.edit('compiled/letter.html', 'Dear', 'Hello');
        await until(page, shown, ['compiled/letter.html']);
        assert.match(await page.evaluate(overlay), /Needs a rebuild/);
        await site.edit('compiled/letter.html', 'Hello', 'Dear');
        await until(page, overlay, null);
        assert.equal(page.loads, 1);
    }, { prepare: (site) => site.create('compiled/letter.html', 'Dear {{ name }}\n') });

    scenario('a page that can no longer be rendered comes back with what was typed', async ({ site, visit }) => {
        const page = await visit();
        await page.fill('[name=name]', 'Grace');
        await page.evaluate(() => scrollTo(0, 700));
        await site.edit('templates/partial.html', 'A partial', '{{ nothing() }}');
        await page.waitForSelector('html[data-rekindle=error]');
        assert.match(await page.textContent('body'), /templates\/partial\.html:1/);
        await site.edit('templates/partial.html', '{{ nothing() }}', 'Mended');
        await until(page, text, 'Mended', '#partial');
        await until(page, () => [document.querySelector('[name=name]').value, scrollY], ['Grace', 700]);
    });

    scenario('a page that cannot be rendered says why, and heals itself', async ({ site, visit }) => {
        const page = await visit('/missing');
        assert.match(await page.textContent('body'), /missing\.html/);
        await site.write('templates/missing.html', '<html><head></head><body><p id="it">It is there</p></body></html>');
        await until(page, text, 'It is there', '#it');
        assert.deepEqual(page.errors, []);
    });

    scenario('an error page whose error stays is not loaded over and over', async ({ site, visit }) => {
        const [page, other] = [await visit('/missing'), await visit('/other')];
        for (const [before, after] of [['The footer', 'Another footer'], ['Another footer', 'A third']]) {
            await site.edit('templates/layout.html', before, after);
            await until(other, text, after, '#footer');
        }
        await site.write('templates/missing.html', '<html><head></head><body><p id="it">It is there</p></body></html>');
        await until(page, text, 'It is there', '#it');
        // Once as nothing is known to be wrong, and once for each change.
        assert.ok(page.loads <= 5, `${page.loads} loads`);
    });

    scenario('a site that was broken from the start heals itself', async ({ site, visit }) => {
        const page = await visit();
        assert.match(await page.textContent('body'), /templates\/page\.html/);
        await site.edit('templates/page.html', BROKEN, '');
        await until(page, text, 'A page', '#title');
    }, { prepare: (site) => site.edit('templates/page.html', '<main>', `<main>${BROKEN}`) });
});
