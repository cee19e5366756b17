// Shows /openapi.json to people. All text goes in as text nodes, so nothing in the description is ever read as markup.
"use strict";

const methods = ["get", "post", "put", "delete"];

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== undefined && child !== null));
  return made;
}

function table(heads, rows) {
  const line = (cell, cells) => element("tr", {}, ...cells.map((content) => element(cell, {}, content ?? "")));
  return element("table", {}, line("th", heads), ...rows.map((row) => line("td", row)));
}

class Description {
  constructor(document) {
    this.document = document;
  }

  // What a $ref names, with what stands beside it set over it.
  resolved(value) {
    if (typeof value !== "object" || value === null || !value.$ref) return value;
    const named = value.$ref.slice(2).split("/").reduce((place, key) => place[key], this.document);
    const { $ref, ...own } = value;
    return { ...this.resolved(named), ...own };
  }

  // A schema in one line, with a link to each named one.
  kind(schema) {
    if (schema === undefined || schema === true) return "anything";
    if (schema.$ref) {
      const name = schema.$ref.split("/").pop();
      return element("a", { href: `#schema-${name}` }, name);
    }
    const joined = (parts) =>
      element("span", {}, ...parts.flatMap((part, index) => (index ? [" or ", this.kind(part)] : [this.kind(part)])));
    if ("const" in schema) return JSON.stringify(schema.const);
    if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(", ");
    if (schema.items) return element("span", {}, `${this.types(schema)} of `, this.kind(schema.items));
    if (!schema.type && (schema.anyOf || schema.oneOf)) return joined(schema.anyOf ?? schema.oneOf);
    return this.types(schema);
  }

  types(schema) {
    const types = [schema.type ?? "anything"].flat().join(" or ");
    const bounds = [
      schema.format, this.bounds(schema.minLength, schema.maxLength, "characters"),
      this.bounds(schema.minItems, schema.maxItems, "elements"), this.bounds(schema.minimum, schema.maximum, ""),
    ];
    return [types, ...bounds.filter(Boolean)].join(", ");
  }

  bounds(least, most, unit) {
    if (least === undefined && most === undefined) return "";
    return `${least ?? ""}…${most ?? ""} ${unit}`.trim();
  }

  schema(name, schema) {
    const required = new Set(schema.required);
    const members = Object.entries(schema.properties ?? {}).map(([key, member]) => [
      element("code", {}, key), required.has(key) ? "required" : "", this.kind(member), this.resolved(member).description,
    ]);
    return element(
      "section", { id: `schema-${name}` }, element("h3", {}, name),
      element("p", {}, schema.description ?? ""), schema.pattern ? element("pre", {}, schema.pattern) : null,
      members.length ? table(["Member", "", "Type", ""], members) : element("p", {}, this.kind(schema)),
    );
  }

  parameters(item, operation) {
    const all = [...(item.parameters ?? []), ...(operation.parameters ?? [])].map((each) => this.resolved(each));
    const rows = all.map((each) => [
      element("code", {}, each.name), each.required ? `${each.in}, required` : each.in, this.kind(each.schema),
      each.description,
    ]);
    return rows.length ? table(["Parameter", "In", "Type", ""], rows) : null;
  }

  examples(content) {
    if ("example" in content) return [["", content.example]];
    return Object.entries(content.examples ?? {}).map(([name, example]) => [name, example.value]);
  }

  body(path, method, operation) {
    const contents = Object.entries(operation.requestBody?.content ?? {});
    return contents.map(([type, content]) =>
      element(
        "div", {}, element("p", {}, "Body: ", element("code", {}, type), ", ", this.kind(content.schema)),
        ...this.examples(content).map(([name, example]) =>
          element(
            "details", {}, element("summary", {}, `Example ${name}`),
            element("pre", {}, this.command(path, method, type, example)),
          )),
      ));
  }

  // The call as a command line. In a quoted here-document the shell leaves everything as it is.
  command(path, method, type, example) {
    const text = typeof example === "string" ? example.trimEnd() : JSON.stringify(example, null, 2);
    const key = `-H "Authorization: Bearer $KEY"`;
    const start = `curl -X ${method.toUpperCase()} ${key} -H 'Content-Type: ${type}' \\\n  '${location.origin}${path}'`;
    return `${start} --data-binary @- <<'END'\n${text}\nEND`;
  }

  answers(operation) {
    const rows = Object.entries(operation.responses).map(([status, answer]) => {
      const whole = this.resolved(answer);
      const content = Object.values(whole.content ?? {})[0];
      const headers = Object.keys(whole.headers ?? {}).join(", ");
      const more = content && "example" in content
        ? element("details", {}, element("summary", {}, "Example"),
          element("pre", {}, JSON.stringify(content.example, null, 2)))
        : "";
      const schema = content ? this.kind(content.schema.allOf?.[0] ?? content.schema) : "";
      return [status, schema, headers, element("div", {}, whole.description, more)];
    });
    return table(["Status", "Content", "Headers", ""], rows);
  }

  operation(path, item, method) {
    const operation = item[method];
    return element(
      "section", { id: operation.operationId }, element("h3", {}, operation.summary),
      element("p", {}, element("code", {}, `${method.toUpperCase()} ${path}`)),
      element("p", {}, operation.description ?? ""), this.parameters(item, operation) ?? "",
      ...this.body(path, method, operation), this.answers(operation),
    );
  }

  operations() {
    return Object.entries(this.document.paths).flatMap(([path, item]) =>
      methods.filter((method) => item[method]).map((method) => ({ path, item, method, operation: item[method] })));
  }

  show(navigation, main) {
    const { info, components } = this.document;
    const link = (id, text) => element("a", { href: `#${id}` }, text);
    let tag;
    for (const { operation } of this.operations()) {
      if (operation.tags[0] !== tag) navigation.append(element("strong", {}, (tag = operation.tags[0])));
      navigation.append(link(operation.operationId, operation.summary));
    }
    main.prepend(
      element("h1", {}, info.title), element("p", {}, info.summary),
      ...info.description.split("\n\n").map((paragraph) => element("p", {}, paragraph)),
    );
    main.append(...this.operations().map(({ path, item, method }) => this.operation(path, item, method)));
    main.append(
      element("h2", {}, "Documents"),
      ...Object.entries(components.schemas).map(([name, schema]) => this.schema(name, schema)),
    );
    // The place in the address was not there yet when the page was loaded.
    if (location.hash) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
  }
}

async function start() {
  const main = document.querySelector("main");
  try {
    const answer = await fetch("/openapi.json");
    if (!answer.ok) throw new Error(`/openapi.json is answered ${answer.status}`);
    new Description(await answer.json()).show(document.querySelector("nav"), main);
  } catch (error) {
    main.append(element("p", { role: "alert" }, `The description cannot be shown: ${error.message}`));
  }
}

start();
