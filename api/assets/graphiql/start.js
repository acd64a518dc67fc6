const fetcher = GraphiQL.createFetcher({ url: "/graphql" });
const query = `# Write your token under "Headers" below: {"Authorization": "Bearer pa_…"}
query Latest {
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
    defaultHeaders: '{"Authorization": "Bearer "}',
    isHeadersEditorEnabled: true,
    shouldPersistHeaders: false,
  }),
);
