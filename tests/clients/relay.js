// What the rules `schema-relay` of @graphql-eslint say of a schema: a list of messages.
import { ESLint } from 'eslint';
import plugin from '@graphql-eslint/eslint-plugin';

const [schema] = process.argv.slice(2);
const rules = { ...plugin.configs['flat/schema-relay'].rules };
// Connections have `nodes` beside `edges`, and short lists that belong to an object are plain lists.
rules['@graphql-eslint/relay-edge-types'] = ['error', { withEdgeSuffix: true, shouldImplementNode: false, listTypeCanWrapOnlyEdgeType: false }];
const eslint = new ESLint({
  cwd: process.cwd(),
  overrideConfigFile: true,
  overrideConfig: [
    {
      files: ['**/*.graphql'],
      plugins: { '@graphql-eslint': plugin },
      languageOptions: { parser: plugin.parser, parserOptions: { graphQLConfig: { schema } } },
      rules,
    },
  ],
});
const results = await eslint.lintFiles([schema]);
console.log(JSON.stringify(results.flatMap((result) => result.messages.map((m) => `${m.line} ${m.ruleId}: ${m.message}`))));
