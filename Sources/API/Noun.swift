import FastCGI
import Host
import JSON
import Store

/// A kind of record and what it is called in paths, members and sentences.
package struct Noun: Sendable {
  /// Its route and the name of its lists: `policies`.
  package let plural: String
  /// One of it, in a sentence: `policy`.
  package let singular: String
  /// The member and path parameter of its id: `policy_id`.
  package let id: String

  /// A kind of record; its id's name follows from the singular.
  package init(_ singular: String, plural: String) {
    self.plural = plural
    self.singular = singular
    id = "\(singular)_id"
  }

  /// An id for a new record whose creator chose none: `policy-` and a UUIDv7.
  package func newID() -> String { Identifier.make("\(singular)-") }

  /// 200 with the record, or 404.
  package func shown(_ record: Record?, id: String) throws -> Response {
    guard let record else { throw Problem.notFound(singular, id: id) }
    return .json { record.write(to: &$0, id: self.id) }
  }

  /// 200 with a page of records.
  package func listed(_ listing: Listing<Record>, page: Page) -> Response {
    .list(plural, listing, page: page) { record, writer in record.write(to: &writer, id: id) }
  }

  /// 201 with the record, or why there is none.
  package func created(_ saving: Saving, id: String) throws -> Response {
    let record = try saved(saving, id: id)
    return .created(plural, id: record.id) { record.write(to: &$0, id: self.id) }
  }

  /// 200 with the record as it is now, or why it was not changed.
  package func changed(_ saving: Saving, id: String) throws -> Response {
    let record = try saved(saving, id: id)
    return .json { record.write(to: &$0, id: self.id) }
  }

  private func saved(_ saving: Saving, id: String) throws -> Record {
    switch saving {
    case .saved(let record): return record
    case .refused(let faults): throw faults
    case .taken:
      throw Problem.conflict("There is a \(singular) with the id \"\(id)\" already; choose another or leave it out.")
    case .full(let limit): throw Problem.tooMany(plural, limit: limit)
    case .absent: throw Problem.notFound(singular, id: id)
    }
  }

  /// 204, 404, or 409 with the policies that still name the record.
  package func deleted(_ deletion: Deletion, id: String) throws -> Response {
    switch deletion {
    case .deleted:
      return .noContent
    case .absent:
      throw Problem.notFound(singular, id: id)
    case .inUse(let policyIDs):
      let names = policyIDs.prefix(10).joined(separator: ", ") + (policyIDs.count > 10 ? ", …" : "")
      throw Problem.conflict("The \(singular) is used by \(policyIDs.count) policies (\(names)); change these first.")
    }
  }

  /// A PUT's members without the record's own id, which may be sent along but not changed.
  package func change(_ call: Call, id: String) throws -> JSONObject {
    var members = try call.members()
    if let given = members[self.id], given != .string(id) {
      throw JSONFaults(pointer: "/\(self.id)", "is the id of the record and cannot be changed; leave it out")
    }
    members[self.id] = nil
    return members
  }
}
