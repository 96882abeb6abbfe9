// Reads the schemas of an OpenAPI 3.1 document: their form as text, and examples.

const MAX_DEPTH = 6;

/** Follows a reference within the document. */
export function resolve(document, value) {
  let found = value;
  for (let depth = 0; found?.$ref && depth < MAX_DEPTH; depth += 1) {
    found = found.$ref
      .replace(/^#\//, '')
      .split('/')
      .map((part) => decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~'))
      .reduce((object, name) => object?.[name], document);
  }
  return found ?? {};
}

const typesOf = (schema) => [schema.type ?? []].flat();

/** Merges the members of `allOf` into one object schema. */
function merged(document, schema) {
  if (!schema.allOf) return schema;
  return schema.allOf
    .map((part) => merged(document, resolve(document, part)))
    .reduce((all, part) => ({ ...all, ...part, properties: { ...all.properties, ...part.properties }, required: [...(all.required ?? []), ...(part.required ?? [])] }), { ...schema, allOf: undefined });
}

const limits = (schema) =>
  [
    schema.minLength > 1 || schema.maxLength ? `${schema.minLength ?? 0} to ${schema.maxLength ?? 'any number of'} characters` : undefined,
    schema.minimum !== undefined || schema.maximum !== undefined ? `from ${schema.minimum ?? '-∞'} to ${schema.maximum ?? '∞'}` : undefined,
    schema.default === undefined ? undefined : `default ${JSON.stringify(schema.default)}`,
  ].filter(Boolean);

/** Returns the form of a value as text, in the notation of TypeScript. */
export function form(document, given, indent = '', depth = 0) {
  const schema = merged(document, resolve(document, given));
  if (depth > MAX_DEPTH) return 'unknown';
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices) return choices.map((choice) => form(document, choice, indent, depth + 1)).join(' | ');
  const types = typesOf(schema);
  const nullable = types.includes('null') && types.length > 1 ? ' | null' : '';
  if (types.includes('array')) return `${form(document, schema.items, indent, depth + 1)}[]${nullable}`;
  if (!types.includes('object') && !schema.properties) return types.filter((type) => type !== 'null' || types.length === 1).join(' | ').replace(/^$/, 'any value') + nullable;
  const inner = `${indent}  `;
  const lines = Object.entries(schema.properties ?? {}).map(([name, member]) => {
    const target = resolve(document, member);
    const note = [(member.description ?? target.description)?.split('\n')[0], ...limits(target)].filter(Boolean).join('; ');
    return `${inner}${name}${schema.required?.includes(name) ? '' : '?'}: ${form(document, member, inner, depth + 1)}${note ? `  // ${note}` : ''}`;
  });
  if (schema.additionalProperties && typeof schema.additionalProperties === 'object') lines.push(`${inner}[name]: ${form(document, schema.additionalProperties, inner, depth + 1)}`);
  return lines.length === 0 ? `object${nullable}` : `{\n${lines.join('\n')}\n${indent}}${nullable}`;
}

/** Returns a value that has the form of the schema. */
export function example(document, given, depth = 0) {
  const schema = merged(document, resolve(document, given));
  for (const value of [given?.example, schema.example, schema.examples?.[0], schema.default, schema.const, schema.enum?.[0]]) {
    if (value !== undefined) return value;
  }
  if (depth > MAX_DEPTH) return null;
  const choice = (schema.oneOf ?? schema.anyOf)?.map((option) => resolve(document, option)).find((option) => !typesOf(option).includes('null'));
  if (choice) return example(document, choice, depth + 1);
  const type = typesOf(schema).find((name) => name !== 'null');
  if (schema.properties || type === 'object') {
    return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, member]) => [name, example(document, member, depth + 1)]));
  }
  if (type === 'array') return [example(document, schema.items, depth + 1)];
  if (type === 'string') return { 'date-time': '2026-01-01T00:00:00Z', uuid: '00000000-0000-4000-8000-000000000000', uri: 'https://example.com/' }[schema.format] ?? 'text';
  if (type === 'boolean') return true;
  if (type === 'integer' || type === 'number') return schema.minimum ?? 1;
  return null;
}
