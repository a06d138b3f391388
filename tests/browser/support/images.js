// Small images of each format, in two colours that are told apart.

// A grey that is full-range, and by another flag in the header is not: another grey.
const AVIF = 'AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUIAAADybWV0YQAAAAAAAAAoaGRscgAAAAAAAAAAcGljdAAAAAAAAAAAAAAAAGxpYmF2aWYAAAAADnBpdG0AAAAAAAEAAAAeaWxvYwAAAABEAAABAAEAAAABAAABGgAAAB0AAAAoaWluZgAAAAAAAQAAABppbmZlAgAAAAABAABhdjAxQ29sb3IAAAAAamlwcnAAAABLaXBjbwAAABRpc3BlAAAAAAAAAAIAAAACAAAAEHBpeGkAAAAAAwgICAAAAAxhdjFDgQ0MAAAAABNjb2xybmNseAACAAIAAYAAAAAXaXBtYQAAAAAAAAABAAEEAQKDBAAAACVtZGF0EgAKCBgANogQEAwgMg8f8D///8WfhwB8+ErK42A=';

const COLOURS = [[204, 68, 0], [0, 68, 204]];

function avif() {
    const first = Buffer.from(AVIF, 'base64');
    const second = Buffer.from(first);
    second[second.indexOf('nclx') + 10] = 0;
    return [first, second];
}

// One pixel of the first colour of a palette.
function gif(colour) {
    const palette = [...colour, 0, 0, 0];
    return Buffer.from([
        ...Buffer.from('GIF89a'), 1, 0, 1, 0, 0x80, 0, 0, ...palette,
        0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0, 0x3b,
    ]);
}

function svg(colour) {
    const fill = `rgb(${colour})`;
    return `<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8" fill="${fill}"/></svg>`;
}

// As the browser itself writes them.
async function drawn(page, type, colour) {
    const address = await page.evaluate(([mime, rgb]) => {
        const canvas = Object.assign(document.createElement('canvas'), { width: 8, height: 8 });
        const context = canvas.getContext('2d');
        context.fillStyle = `rgb(${rgb})`;
        context.fillRect(0, 0, 8, 8);
        return canvas.toDataURL(mime, 1);
    }, [`image/${type}`, colour]);
    if (!address.startsWith(`data:image/${type};`)) throw new Error(`the browser writes no ${type}`);
    return Buffer.from(address.split(',')[1], 'base64');
}

// Two images by the end of their file's name.
export const FORMATS = {
    avif,
    gif: () => COLOURS.map(gif),
    jpeg: (page) => Promise.all(COLOURS.map((colour) => drawn(page, 'jpeg', colour))),
    jpg: (page) => Promise.all(COLOURS.map((colour) => drawn(page, 'jpeg', colour))),
    png: (page) => Promise.all(COLOURS.map((colour) => drawn(page, 'png', colour))),
    svg: () => COLOURS.map(svg),
    webp: (page) => Promise.all(COLOURS.map((colour) => drawn(page, 'webp', colour))),
};
