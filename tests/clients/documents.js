// What is wrong with documents by a schema, and the names of their operations.
import { buildSchema, parse, validate } from 'graphql';
import { readdirSync, readFileSync } from 'node:fs';

const [schema, folder] = process.argv.slice(2);
const built = buildSchema(readFileSync(schema, 'utf8'));
const wrong = [];
const names = [];
for (const file of readdirSync(folder).sort()) {
  const document = parse(readFileSync(`${folder}/${file}`, 'utf8'));
  wrong.push(...validate(built, document).map((error) => `${file}: ${error.message}`));
  for (const definition of document.definitions) names.push(definition.name?.value ?? '');
}
console.log(JSON.stringify({ wrong, names }));
