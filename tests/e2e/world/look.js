// How a page looks in both color schemes, on a phone, a tablet and a desktop.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const VIEWPORTS = [{ width: 360, height: 780 }, { width: 768, height: 1024 }, { width: 1440, height: 900 }];

/** Asserts that a page does not scroll sideways. */
async function fits(page, name, width) {
  const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(tooWide, 0, `${name} at ${width} px scrolls sideways`);
}

/** Takes a screenshot of each variant, and asserts that it does not scroll sideways and has no accessibility violations. */
export async function look(visitor, name) {
  const { page } = visitor;
  const usual = page.viewportSize();
  for (const width of [320, 1920]) {
    await page.setViewportSize({ width, height: 900 });
    await fits(page, name, width);
  }
  for (const viewport of VIEWPORTS) {
    const { width } = viewport;
    await page.setViewportSize(viewport);
    await fits(page, name, width);
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      await visitor.picture(`look-${name}-${width}-${colorScheme}`);
      const { violations } = await page.evaluate(`${axe}; axe.run(document, { runOnly: ${JSON.stringify(RULES)} })`);
      const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`);
      assert.deepEqual(found, [], `${name} at ${width} px, ${colorScheme}`);
    }
  }
  await page.setViewportSize(usual);
}
