export interface Snippet {
  name: string;
  text: string;
}

/** What sends a first trace here, by client. `key` is there where the server asks who calls. */
export function snippets(url: string, key?: string): Snippet[] {
  const variable = key === undefined ? "" : `BOXSCORE_API_KEY=${key} `;
  const header = key === undefined ? "" : `,\n  headers: { authorization: "Bearer ${key}" }`;
  const otlp = key === undefined ? "" : `OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer ${key}"\n`;
  return [
    { name: "Python", text: `import boxscore\nboxscore.init("${url}")\n\n@boxscore.trace\ndef answer(question): ...        # your function, as it is${variable && `\n\n# run it with ${variable.trim()}`}` },
    { name: "OpenTelemetry", text: `OTEL_EXPORTER_OTLP_ENDPOINT=${url}\n${otlp}OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\n# any SDK of OpenTelemetry, in any language, sends here then` },
    {
      name: "TypeScript",
      text: `import { NodeSDK } from "@opentelemetry/sdk-node";\nimport { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";\n\nnew NodeSDK({ traceExporter: new OTLPTraceExporter({\n  url: "${url}/v1/traces"${header}\n}) }).start();`,
    },
    {
      name: "curl",
      text: `curl ${url}/v1/traces -H 'content-type: application/json' ${key === undefined ? "" : `-H 'authorization: Bearer ${key}' `}-d '{"resourceSpans":[{"scopeSpans":[{"spans":[{
  "traceId":"'$(openssl rand -hex 16)'","spanId":"'$(openssl rand -hex 8)'","name":"hello",
  "startTimeUnixNano":"'$(date +%s%N)'","endTimeUnixNano":"'$(date +%s%N)'"}]}]}]}'`,
    },
  ];
}
