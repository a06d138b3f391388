import assert from 'node:assert/strict';
import { text, until } from './support/browser.js';
import { suite } from './support/suite.js';

// As pages are in the middle of being used.
async function use(page) {
    await page.fill('[name=name]', 'Grace');
    await page.check('[name=agree]');
    await page.selectOption('[name=colour]', 'blue');
    await page.fill('[name=text]', 'What was typed');
    await page.click('#details summary');
    await page.evaluate(async () => {
        window.sameLoad = true;
        document.querySelector('#dialog').show();
        document.querySelector('#scrolled').scrollTop = 40;
        document.querySelector('#footer').classList.add('from-a-script');
        document.body.append(Object.assign(document.createElement('aside'), { textContent: 'Made by a script' }));
        const canvas = document.querySelector('#canvas');
        canvas.getContext('2d').fillRect(0, 0, 10, 10);
        const video = document.querySelector('#video');
        video.srcObject = canvas.captureStream(30);
        await video.play();
        document.querySelector('#frame').contentWindow.sameFrame = true;
        document.querySelector('#editable').textContent = 'Edited';
        document.querySelector('#kept').textContent = 'Changed by a script';
        scrollTo(0, 300);
        const area = document.querySelector('[name=text]');
        area.focus({ preventScroll: true });
        area.setSelectionRange(5, 8);
    });
}

const used = () => {
    const one = (selector) => document.querySelector(selector);
    const area = one('[name=text]');
    return {
        sameLoad: window.sameLoad,
        fields: [one('[name=name]').value, one('[name=agree]').checked, one('[name=colour]').value, area.value],
        focus: [document.activeElement.name, area.selectionStart, area.selectionEnd],
        open: [one('#details').open, one('#dialog').open],
        scroll: [scrollY, one('#scrolled').scrollTop],
        script: [one('#footer').className, one('aside').textContent],
        canvas: one('#canvas').getContext('2d').getImageData(5, 5, 1, 1).data[3],
        playing: !one('#video').paused,
        frame: one('#frame').contentWindow.sameFrame,
        kept: [one('#editable').textContent, one('#kept').textContent],
    };
};

const EVERYTHING = `<div id="everything">
    <canvas id="canvas" width="10" height="10"></canvas><video id="video" muted></video>
    <iframe id="frame" srcdoc="In the frame"></iframe>
    <p id="editable" contenteditable>To be edited</p><p id="kept" data-rekindle-keep>Kept</p>
</div>`;

const withEverything = {
    prepare: (site) => site.edit('templates/page.html', '<div class="space">', `${EVERYTHING}<div class="space">`),
};

// Ten seconds of silence.
const SOUND = (() => {
    const samples = Buffer.alloc(80000, 128);
    const header = Buffer.alloc(44);
    header.write('RIFF', 0);
    header.writeUInt32LE(36 + samples.length, 4);
    header.write('WAVEfmt ', 8);
    [[16, 16, 4], [20, 1, 2], [22, 1, 2], [24, 8000, 4], [28, 8000, 4], [32, 1, 2], [34, 8, 2]]
        .forEach(([at, value, size]) => header.writeUIntLE(value, at, size));
    header.write('data', 36);
    header.writeUInt32LE(samples.length, 40);
    return `data:audio/wav;base64,${Buffer.concat([header, samples]).toString('base64')}`;
})();

async function replaceMain(site, content) {
    const page = await site.read('templates/page.html');
    await site.write('templates/page.html', page.replace(/<main>[^]*<\/main>/, () => `<main>${content}</main>`));
}

const main = () => document.querySelector('main').innerHTML;

suite('morphing', (scenario) => {
    scenario('a saved partial changes the page where it differs, and all that people did stays', async ({ site, visit }) => {
        const page = await visit();
        await use(page);
        const before = await page.evaluate(used);
        assert.equal(before.playing && before.frame && before.canvas === 255, true);
        await site.edit('templates/partial.html', 'A partial', 'Another partial');
        await until(page, text, 'Another partial', '#partial');
        assert.deepEqual(await page.evaluate(used), before);
        assert.deepEqual(page.errors, []);
    }, withEverything);

    scenario('what people did stays also where everything around it differs', async ({ site, visit }) => {
        const page = await visit();
        await use(page);
        const before = await page.evaluate(used);
        const source = await site.read('templates/page.html');
        await site.write('templates/page.html', source
            .replace('<h1 id="title">A page</h1>', '<h1 id="title" class="new">Another page</h1>')
            .replace('<div class="space"></div>', '<div class="space"></div><p>New</p>')
            .replace('<label>Name <input name="name" value="Ada">', '<label class="new">First name <input name="name" value="Eve">')
            .replace('<option>red</option>', '<option selected>red</option><option>yellow</option>')
            .replace('Some text', 'Some other text')
            .replace('<summary>More</summary>', '<summary>Even more</summary>')
            .replace('In the dialog', 'Still in the dialog')
            .replace('A long text', 'A longer text')
            .replace('To be edited', 'Not to be edited')
            .replace('>Kept<', '>Not kept<'));
        await site.edit('templates/layout.html', '<footer id="footer">', '<footer id="footer" class="new">');
        await until(page, () => document.querySelector('#footer').className, 'from-a-script new');
        await until(page, text, 'Another page', '#title');
        await until(page, text, 'Even more', 'summary');
        const { script: [, aside], ...after } = await page.evaluate(used);
        const { script, ...expected } = before;
        assert.deepEqual(after, expected);
        assert.equal(aside, script[1]);
    }, withEverything);

    scenario('what plays goes on', async ({ site, visit }) => {
        await replaceMain(site, `<p>Before</p><audio id="sound" muted loop controls src="${SOUND}"></audio>`);
        const page = await visit();
        await page.evaluate(async () => {
            const sound = document.querySelector('#sound');
            window.interrupted = [];
            ['emptied', 'pause', 'abort', 'loadstart'].forEach((name) => {
                sound.addEventListener(name, () => window.interrupted.push(name));
            });
            await sound.play();
            window.interrupted = [];
        });
        await replaceMain(site, `<section><p>After</p><audio class="new" id="sound" muted loop controls src="${SOUND}"></audio></section>`);
        await page.waitForSelector('#sound.new');
        const before = await page.evaluate(() => document.querySelector('#sound').currentTime);
        await page.waitForFunction((time) => document.querySelector('#sound').currentTime !== time, before);
        assert.deepEqual(await page.evaluate(() => window.interrupted), []);
    });

    scenario('an element of the page\'s own keeps what it made of itself', async ({ site, visit }) => {
        await replaceMain(site, '<p>Before</p><x-counter><i>1</i></x-counter>');
        const page = await visit();
        await page.evaluate(() => {
            window.made = [];
            customElements.define('x-counter', class extends HTMLElement {
                connectedCallback() {
                    window.made.push(this);
                    this.attachShadow({ mode: 'open' }).innerHTML = '<slot></slot><input value="In the shadow">';
                    this.append(Object.assign(document.createElement('b'), { textContent: 'made' }));
                }
            });
            document.querySelector('x-counter').shadowRoot.querySelector('input').value = 'Typed';
        });
        await replaceMain(site, '<p>After</p><x-counter class="new"><i>2</i></x-counter>');
        await until(page, main, '<p>After</p><x-counter class="new"><i>2</i><b>made</b></x-counter>');
        const state = () => [window.made.length, document.querySelector('x-counter').shadowRoot.querySelector('input').value];
        assert.deepEqual(await page.evaluate(state), [1, 'Typed']);
    });

    scenario('a page with a declared shadow tree is loaded anew: it is not told apart from one that a script made', async ({ site, visit }) => {
        const declared = (inside) => `<input name="name"><div id="host"><template shadowrootmode="open"><p>${inside}</p></template></div>`;
        const inside = () => document.querySelector('#host')?.shadowRoot?.querySelector('p').textContent;
        await replaceMain(site, declared('one'));
        const page = await visit();
        // The server may have answered before it knew of the save.
        await until(page, inside, 'one');
        const { loads } = page;
        await page.fill('[name=name]', 'Grace');
        await replaceMain(site, declared('two'));
        await until(page, inside, 'two');
        await until(page, () => document.querySelector('[name=name]').value, 'Grace');
        assert.equal(page.loads, loads + 1);
    });

    scenario('a modal dialog stays open', async ({ site, visit }) => {
        const page = await visit();
        await page.evaluate(() => document.querySelector('#dialog').showModal());
        await page.fill('#in-dialog', 'Typed');
        await site.edit('templates/page.html', 'In the dialog', 'Still in it');
        await until(page, text, 'Still in it', '#dialog p');
        const dialog = () => [document.querySelector('#dialog:modal') !== null, document.querySelector('#in-dialog').value];
        assert.deepEqual(await page.evaluate(dialog), [true, 'Typed']);
    });

    scenario('what is added, removed and moved leaves the rest the same elements', async ({ site, visit }) => {
        await replaceMain(site, '<ul><li>one</li><li>two</li><li id="c">three</li><li id="d">four <input></li></ul>');
        const page = await visit();
        await page.fill('main input', 'Typed');
        await page.evaluate(() => document.querySelectorAll('li').forEach((item) => { item.known = item.textContent; }));
        await replaceMain(site, '<ul><li>zero</li><li id="d">four <input></li><li>two</li><li>new</li><li id="c">3</li></ul>');
        const items = () => [...document.querySelectorAll('li')].map((item) => [item.textContent.trim(), item.known]);
        await until(page, items, [['zero', 'one'], ['four', 'four '], ['two', 'two'], ['new', undefined], ['3', 'three']]);
        assert.equal(await page.inputValue('main input'), 'Typed');
    });

    scenario('an element with an id is the same one wherever it goes', async ({ site, visit }) => {
        await replaceMain(site, '<p>Before</p><input id="field"><iframe id="frame" srcdoc="Frame"></iframe>');
        const page = await visit();
        await page.fill('#field', 'Typed');
        await page.evaluate(() => { document.querySelector('#frame').contentWindow.sameFrame = true; });
        await replaceMain(site, '<section><div><input id="field" class="new"></div></section><p>After</p><div><iframe id="frame" srcdoc="Frame"></iframe></div>');
        await until(page, main, '<section><div><input id="field" class="new"></div></section><p>After</p><div><iframe id="frame" srcdoc="Frame"></iframe></div>');
        const state = () => [document.activeElement.id, document.querySelector('#field').value, document.querySelector('#frame').contentWindow.sameFrame];
        assert.deepEqual(await page.evaluate(state), ['field', 'Typed', true]);
    });

    scenario('a page ends up as the server renders it, whatever it was before', async ({ site, visit }) => {
        const pages = [
            '<p>a</p>', '', 'text', '<p>a</p><p>b</p>', '<p>b</p><!-- c --><p>a</p>', '<table><tr><td>1</td></tr></table>',
            '<div><p id="x">x</p></div><p id="y">y</p>', '<div><p id="y">y</p></div><p id="x">x</p>',
            '<p id="x"><b id="y">1</b></p>', '<b id="y"><i id="x">1</i></b>', '<svg viewBox="0 0 1 1"><path d="M0 0"></path></svg>',
            '<template><p>1</p></template>', '<template><p>2</p></template>', '<select><option>1</option></select>',
            '<p @click="x" a.b="c">1</p>', '<p @click="y">1</p>', '<x-custom data-a="1">1</x-custom>',
        ];
        await replaceMain(site, pages[0]);
        const page = await visit();
        await page.evaluate(() => { window.sameLoad = true; });
        for (let seed = 1, last = 0, round = 0; round < 40; round += 1) {
            seed = (seed * 48271) % 2147483647;
            const next = seed % pages.length;
            if (next === last) continue;
            last = next;
            await replaceMain(site, pages[next]);
            const expected = await page.evaluate((html) => {
                const main = new DOMParser().parseFromString(`<main>${html}</main>`, 'text/html').querySelector('main');
                return main.innerHTML;
            }, pages[next]);
            await until(page, main, expected);
        }
        assert.equal(await page.evaluate(() => window.sameLoad), true);
    });

    scenario('the title and the head change with the page, and stylesheets without a flash', async ({ site, visit }) => {
        const page = await visit();
        await page.evaluate(() => {
            window.fewest = Infinity;
            new MutationObserver(() => {
                const loaded = [...document.querySelectorAll('link[rel=stylesheet]')].filter((link) => link.sheet);
                window.fewest = Math.min(window.fewest, loaded.length);
            }).observe(document.head, { childList: true, subtree: true });
        });
        const layout = await site.read('templates/layout.html');
        await site.write('templates/layout.html', layout
            .replace('A small site', 'Another site')
            .replace('app.css?v=1', 'app.css?v=2')
            .replace('</style>', '</style><meta name="description" content="New">'));
        await until(page, () => document.title, 'Another site');
        await until(page, () => document.querySelector('#sheet').getAttribute('href'), '/static/app.css?v=2');
        await until(page, () => document.querySelector('meta[name=description]').content, 'New');
        assert.equal(page.loads, 1);
        assert.equal(await page.evaluate(() => window.fewest), 2);
    });

    scenario('a change while the page is rendered is not lost', async ({ site, visit }) => {
        const page = await visit();
        let release;
        const held = new Promise((resolve) => { release = resolve; });
        await page.route(`${site.url}/`, async (route) => {
            const response = await route.fetch();
            await held;
            await route.fulfill({ response });
        }, { times: 1 });
        const asked = page.waitForRequest(`${site.url}/`);
        await site.edit('templates/partial.html', 'A partial', 'The first');
        await asked;
        await site.edit('templates/partial.html', 'The first', 'The second');
        await site.edit('templates/partial.html', 'The second', 'The third');
        release();
        await until(page, text, 'The third', '#partial');
        assert.equal(page.loads, 1);
    });

    scenario('only pages of templates that are affected are rendered anew', async ({ site, visit }) => {
        const other = await visit('/other');
        const rendered = [];
        other.on('request', (request) => {
            const { pathname } = new URL(request.url());
            if (!/^\/(static|_rekindle)\//.test(pathname)) rendered.push(pathname);
        });
        const page = await visit();
        await site.edit('templates/partial.html', 'A partial', 'Another partial');
        await until(page, text, 'Another partial', '#partial');
        // What both are made of: the other page hears of it after all that was before.
        await site.edit('templates/layout.html', 'The footer', 'Another footer');
        await until(other, text, 'Another footer', '#footer');
        assert.deepEqual(rendered, ['/other']);
    });
});
