import JSON
import Postgres

/// A stored document of a tenant, with what the server knows about it.
package struct Record: Sendable {
  /// The id, unique within the tenant.
  package let id: String
  /// The tenant it belongs to.
  package let tenant: String
  /// The document to the letter, without the members that this type has.
  package private(set) var document: JSONObject
  /// The key that created it.
  package let createdBy: String
  /// When it was created, RFC 3339.
  package let createdAt: String
  /// When it was last changed, RFC 3339.
  package let updatedAt: String

  /// Writes the record as clients see it, the id under its noun's name, such as `policy_id`.
  package func write(to writer: inout JSONWriter, id idKey: String) {
    writer.object { members in
      members.add(idKey, id)
      for member in document.members { members.add(member.key, member.value) }
      members.add("tenant_id", tenant)
      members.add("created_by", createdBy)
      members.add("created_at", createdAt)
      members.add("updated_at", updatedAt)
    }
  }

  /// The same record with another document.
  func with(document: JSONObject) -> Record {
    var record = self
    record.document = document
    return record
  }

  /// The record of a row of id, document, created_by, created_at, updated_at, beginning at a column.
  init(row: Row, from column: Int = 0, tenant: String) {
    id = row.text(column)
    self.tenant = tenant
    document = row.document(column + 1)
    createdBy = row.text(column + 2)
    createdAt = row.text(column + 3)
    updatedAt = row.text(column + 4)
  }
}

extension Row {
  /// A json column that holds a document which this program wrote.
  func document(_ column: Int) -> JSONObject {
    do {
      guard let object = try JSONValue(parsing: bytes(column)).object else {
        preconditionFailure("no object is stored")
      }
      return object
    } catch {
      preconditionFailure("a stored document is not JSON: \(error)")
    }
  }
}

/// How a document was taken.
package enum Saving: Sendable {
  /// Written.
  case saved(Record)
  /// Not written: it names things that do not exist.
  case refused(JSONFaults)
  /// Not written: the id is another one's.
  case taken
  /// Not written: there are as many as a tenant may have.
  case full(limit: Int)
  /// Not written: there is no such record.
  case absent
}

/// How a deletion went.
package enum Deletion: Sendable, Equatable {
  /// It is gone.
  case deleted
  /// It is kept: these policies name it.
  case inUse(policyIDs: [String])
  /// There was no such record.
  case absent
}

/// A stretch of a list: pages are numbered from 1.
package struct Page: Sendable {
  /// The number of the page.
  package let number: Int
  /// How many elements a page has.
  package let size: Int

  /// A page by number and size, both at least 1.
  package init(number: Int, size: Int) {
    self.number = number
    self.size = size
  }

  /// How many elements come before it.
  var offset: Int {
    let (offset, isTooLarge) = (number - 1).multipliedReportingOverflow(by: size)
    return isTooLarge ? .max : offset
  }
}

/// The elements of one page and how many there are in all.
package struct Listing<Element: Sendable>: Sendable {
  /// The elements in the list's order.
  package let elements: [Element]
  /// The length of the whole list.
  package let total: Int
  /// Whether there is nothing more than what the list has.
  package let isWhole: Bool

  /// Reads rows whose first column is the total and whose second is NULL where the page is empty. A list that ends at a limit
  /// is told apart from one of that length by a total that is greater.
  init(rows: Rows, limit: Int = .max, _ element: (Row) -> Element) {
    let counted = rows.first?.int(0) ?? 0
    total = min(counted, limit)
    isWhole = counted <= limit
    elements = rows.filter { !$0.isNull(1) }.map(element)
  }
}
