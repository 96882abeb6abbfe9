// The differences between two runs of probe.js: one line for each member of an answer that differs.

const flatten = (value, path = '', members = {}) => {
  const isBranch = value !== null && typeof value === 'object'
  if (!isBranch || !Object.keys(value).length) members[path] = isBranch ? (Array.isArray(value) ? '[]' : '{}') : value
  else for (const [key, inner] of Object.entries(value)) flatten(inner, path ? `${path}.${key}` : key, members)
  return members
}

// Status and error code, or the members of the body.
function outline({ status, body }) {
  if (body === undefined) return `${status}`
  if (typeof body === 'string') return `${status} ${body.startsWith('(<a') ? '(text)' : body}`
  const code = body.error_code ?? body.code ?? body.error
  return `${status} ${code ?? `{${Object.keys(body).join()}}`}`
}

// Returns objects with the name of a step, the member (`answer` if the statuses differ) and both values.
export function differences(recorded, found) {
  const [theirs, ours] = [recorded, found].map((steps) => new Map(steps.map((step) => [step.name, step])))
  const lines = []
  for (const name of new Set([...theirs.keys(), ...ours.keys()])) {
    const [x, y] = [theirs.get(name), ours.get(name)]
    if (!x || !y || x.failed || y.failed) {
      lines.push({ name, member: 'step', theirs: x ? 'present' : 'absent', ours: y?.failed ?? (y ? 'present' : 'absent') })
      continue
    }
    if (x.status !== y.status) {
      lines.push({ name, member: 'answer', theirs: outline(x), ours: outline(y) })
      continue
    }
    const [p, q] = [flatten(x), flatten(y)]
    for (const member of new Set([...Object.keys(p), ...Object.keys(q)])) {
      // The headers of an answer without any of those that are compared.
      if (p[member] !== q[member] && member !== 'headers') lines.push({ name, member, theirs: p[member], ours: q[member] })
    }
  }
  return lines
}

// Splits differences into those that no rule lists, and returns the rules that list none of them.
export function check(lines, rules) {
  const unused = new Set()
  for (const rule of rules) for (const name of rule.names ?? ['*']) unused.add(`${name} · ${rule.member}`)
  const unlisted = lines.filter((line) => {
    let isListed = false
    for (const rule of rules) {
      const names = (rule.names ?? ['*']).filter((name) => name === '*' || name === line.name)
      const isMember = rule.member instanceof RegExp ? rule.member.test(line.member) : rule.member === line.member
      if (!names.length || !isMember || ('ours' in rule && rule.ours !== line.ours) || ('theirs' in rule && rule.theirs !== line.theirs)) continue
      isListed = true
      for (const name of names) unused.delete(`${name} · ${rule.member}`)
    }
    return !isListed
  })
  return { unlisted, unused }
}
