// The changes from one schema to another that break a client, and the reasons of what is deprecated.
import { buildSchema, findBreakingChanges } from 'graphql';
import { readFileSync } from 'node:fs';

const [before, after] = process.argv.slice(2).map((path) => buildSchema(readFileSync(path, 'utf8')));
const deprecated = [];
for (const type of Object.values(after.getTypeMap())) {
  const fields = type.getFields ? Object.values(type.getFields()) : type.getValues ? type.getValues() : [];
  for (const field of fields) {
    if (field.deprecationReason) deprecated.push(`${type.name}.${field.name}: ${field.deprecationReason}`);
    for (const arg of field.args ?? []) {
      if (arg.deprecationReason) deprecated.push(`${type.name}.${field.name}(${arg.name}): ${arg.deprecationReason}`);
    }
  }
}
console.log(JSON.stringify({ breaking: findBreakingChanges(before, after).map((change) => change.description), deprecated }));
