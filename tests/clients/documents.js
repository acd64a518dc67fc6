// What is wrong with documents by a schema, and the names of their operations. Fragments may stand in files of their own.
import { buildSchema, parse, validate, visit } from 'graphql';
import { readdirSync, readFileSync } from 'node:fs';

const [schema, folder] = process.argv.slice(2);
const built = buildSchema(readFileSync(schema, 'utf8'));
const read = (file) => ({ file, ...parse(readFileSync(`${folder}/${file}`, 'utf8')) });
const documents = readdirSync(folder).sort().map(read);
const isFragment = (definition) => definition.kind === 'FragmentDefinition';
const fragments = documents.filter((one) => one.definitions.every(isFragment)).flatMap((one) => one.definitions);
const wrong = [];
const names = [];
const spread = new Set();
for (const { file, ...document } of documents) {
  if (document.definitions.every(isFragment)) continue;
  visit(document, {
    FragmentSpread({ name }) {
      const definition = fragments.find((fragment) => fragment.name.value === name.value);
      if (definition && !document.definitions.includes(definition)) {
        document.definitions = [...document.definitions, definition];
        spread.add(name.value);
      }
    },
  });
  wrong.push(...validate(built, document).map((error) => `${file}: ${error.message}`));
  for (const definition of document.definitions) {
    if (!isFragment(definition)) names.push(definition.name?.value ?? '');
  }
}
for (const { name } of fragments) if (!spread.has(name.value)) wrong.push(`no document spreads ${name.value}`);
console.log(JSON.stringify({ wrong, names }));
