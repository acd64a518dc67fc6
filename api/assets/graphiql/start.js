// A reader who is signed in to the page needs no token: the secret of its session goes with every request.
const secret = document.querySelector('meta[name="phananh-csrf"]');
const headers = secret ? { "x-phananh-csrf": secret.content } : {};
const fetcher = GraphiQL.createFetcher({ url: "/graphql", headers });
const hint = secret ? "" : `# Write your token under "Headers" below: {"Authorization": "Bearer pa_…"}\n`;
const asked = new URLSearchParams(location.search);
const query = `${hint}query Latest {
  complaints(first: 5) {
    totalCount
    nodes { reference receivedAt state unit { code nameVi } category { nameVi } }
  }
}
`;
ReactDOM.createRoot(document.getElementById("explorer")).render(
  React.createElement(GraphiQL, {
    fetcher,
    defaultQuery: query,
    query: asked.get("query") ?? undefined,
    variables: asked.get("variables") ?? undefined,
    defaultHeaders: secret ? undefined : '{"Authorization": "Bearer "}',
    isHeadersEditorEnabled: true,
    shouldPersistHeaders: false,
  }),
);
