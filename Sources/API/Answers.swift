import FastCGI
import JSON
import Store

extension Response {
  /// An answer in JSON.
  package static func json(
    _ status: Status = .ok, headers: [(name: String, value: String)] = [], _ build: (inout JSONWriter) -> Void
  ) -> Response {
    var writer = JSONWriter()
    build(&writer)
    return Response(status, headers: [("Content-Type", "application/json")] + headers, body: writer.bytes)
  }

  /// 201, with the place of what was created: the path of the call and the id.
  package static func created(
    _ noun: String, id: String, headers: [(name: String, value: String)] = [], _ build: (inout JSONWriter) -> Void
  ) -> Response {
    let place = "\(Route.root)/\(noun)/\(PercentEncoding.encoded(id))"
    return json(.created, headers: [("Location", place)] + headers, build)
  }

  /// 204.
  package static var noContent: Response { Response(.noContent) }

  /// One page of a list, under the list's name. Where there is more than the list has, `total_is_exact` says so.
  package static func list<Element>(
    _ name: String, _ listing: Listing<Element>, page: Page, _ write: (Element, inout JSONWriter) -> Void
  ) -> Response {
    json { writer in
      writer.object { members in
        members.add(name) { $0.array(listing.elements, write) }
        members.add("total", listing.total)
        if !listing.isWhole { members.add("total_is_exact", false) }
        members.add("page", page.number)
        members.add("per_page", page.size)
      }
    }
  }
}
