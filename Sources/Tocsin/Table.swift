import Host

/// Prints rows in columns as wide as their widest text, two blanks apart. To a terminal, what others have named or answered is text
/// and no more.
func printTable(_ header: [String], _ rows: [[String]]) {
  let rows = rows.map { $0.map { Log.printable($0) } }
  let widths = header.indices.map { column in ([header] + rows).map { $0[column].count }.max() ?? 0 }
  for row in [header] + rows {
    let cells = zip(row, widths).map { text, width in text + String(repeating: " ", count: width - text.count) }
    var line = cells.joined(separator: "  ")
    while line.last == " " { line.removeLast() }
    print(line)
  }
}
