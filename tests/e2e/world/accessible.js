// Looks at a page in three widths and both color schemes: nothing scrolls sideways, and axe finds nothing.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

export async function lookAt(visitor, name) {
  const { page } = visitor;
  for (const width of [320, 768, 1920]) {
    await page.setViewportSize({ width, height: 900 });
    const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(tooWide, 0, `${name} at ${width} px scrolls sideways`);
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      await visitor.picture(`look-${name}-${width}-${colorScheme}`);
      const { violations } = await page.evaluate(`${axe}; axe.run(document, { runOnly: ${JSON.stringify(RULES)} })`);
      assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`), [], `${name} at ${width} px, ${colorScheme}`);
    }
  }
  await page.setViewportSize({ width: 1280, height: 860 });
}
