// What each file of journeys begins and ends with.
import assert from 'node:assert/strict';
import { after, afterEach, before } from 'node:test';

import { Visitor, launch, picture } from './browser.js';

/** Starts the stack and a browser for this file. Whoever is still there when a test fails leaves a picture. */
export function journeys(start) {
  const world = { people: [] };
  before(async () => {
    world.stack = await start();
    world.browser = await launch();
  });
  afterEach(async (test) => {
    for (const [at, visitor] of world.people.splice(0).entries()) {
      for (const page of visitor.context.pages()) {
        await picture(page, `failed-${test.name.replaceAll(/\W+/g, '-')}-${at}`).catch(() => undefined);
      }
      await visitor.context.close().catch(() => undefined);
    }
  });
  after(async () => {
    await world.browser?.close();
    await world.stack?.stop();
    // `bearward dev` prints tokens to copy; nothing else does.
    for (const child of [world.stack?.next, world.stack?.serve]) assert.doesNotMatch(child?.output ?? '', /eyJ[\w-]{8,}\./, 'a token in a log');
  });
  world.visitor = async (options) => {
    const visitor = await Visitor.arrive(world.browser, options);
    world.people.push(visitor);
    const leave = visitor.leave.bind(visitor);
    visitor.leave = async (expected) => {
      world.people.splice(world.people.indexOf(visitor), 1);
      await leave(expected);
    };
    return visitor;
  };
  return world;
}

let count = 0;
/** Somebody whom nobody has met in this run. */
export function somebody(name) {
  count += 1;
  const [first] = name.toLowerCase().split(' ');
  return { name, email: `${first}.${count}.${process.pid}@example.com`, password: `correct horse ${count} battery` };
}
