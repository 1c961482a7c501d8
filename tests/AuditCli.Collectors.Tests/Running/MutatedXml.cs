using System.Collections.Immutable;
using System.Xml.Linq;

namespace AuditCli.Collectors.Tests.Running;

/// <summary>The changes of <see cref="Mutation"/> for XML.</summary>
internal static class MutatedXml
{
    /// <param name="around">Returns the paths of the elements around a page's rows; the root's is empty.</param>
    /// <param name="isToken">Whether a name is that of a page token, or of the flag for more pages.</param>
    public static Mutation Of(Random lot, IReadOnlyList<string> pages, Func<XElement, IEnumerable<ImmutableArray<string>>> around, Func<string, bool> isToken)
    {
        var page = lot.Next(pages.Count);
        var change = lot.GetItems(Enum.GetValues<Change>(), 1)[0];
        if (change == Change.Status)
            return new(page, change, [], pages[page], lot.GetItems(Mutation.Statuses, 1)[0]);
        if (change == Change.Cut)
            return new(page, change, [], pages[page][..lot.Next(pages[page].TrimEnd().Length)], 200);
        var root = XElement.Parse(pages[page], LoadOptions.PreserveWhitespace);
        var path = lot.GetItems([.. around(root)], 1)[0];
        var at = path.Aggregate(root, (e, name) => e.Elements().First(c => c.Name.LocalName == name));
        switch (change)
        {
            case Change.Rename:
                at.Name = at.Name.Namespace + Renamed(lot, at.Name.LocalName, isToken(at.Name.LocalName));
                break;
            case Change.Case:
                at.Name = at.Name.Namespace + (lot.Next(2) == 0 ? at.Name.LocalName.ToUpperInvariant() : Turned(at.Name.LocalName));
                break;
            case Change.Duplicate:
                var copy = lot.Next(2) == 0 ? new XElement(at) : new XElement(at.Name);
                if (lot.Next(2) == 0)
                    at.AddBeforeSelf(copy);
                else
                    at.AddAfterSelf(copy);
                break;
            case Change.Drop:
                at.Remove();
                break;
            default:
                at.ReplaceNodes(at.HasElements || lot.Next(2) == 0 ? "text" : new XElement("other", "text"));
                break;
        }
        return new(page, change, path, root.ToString(SaveOptions.DisableFormatting), 200);
    }

    /// <summary>Returns every change of every element below a row, with the path from the row to it and its new text, if any.</summary>
    public static IEnumerable<(Change Change, string Row, ImmutableArray<string> Path, string? Said)> OfRow(string row)
    {
        var count = XElement.Parse(row).Descendants().Count();
        foreach (var change in new[] { Change.Rename, Change.Case, Change.Duplicate, Change.Drop })
        {
            for (var n = 0; n < count; n++)
                yield return Changed(row, n, change, null);
        }
        for (var n = 0; n < count; n++)
        {
            foreach (var text in new[] { "", "text", "7", "true", "TRUE", "1", "null", "2026-01-01T00:00:01Z", "<other>text</other>" })
                yield return Changed(row, n, Change.Retype, text);
        }
    }

    private static (Change Change, string Row, ImmutableArray<string> Path, string? Said) Changed(string row, int number, Change change, string? text)
    {
        var root = XElement.Parse(row);
        var at = root.Descendants().ElementAt(number);
        ImmutableArray<string> path = [.. at.AncestorsAndSelf().Select(e => e.Name.LocalName).Reverse().Skip(1)];
        switch (change)
        {
            case Change.Rename:
                at.Name = at.Name.LocalName + "X";
                break;
            case Change.Case:
                at.Name = Turned(at.Name.LocalName);
                break;
            case Change.Duplicate when at.ElementsBeforeSelf().Any(e => e.Name == at.Name) || IsElementOfList(at):
                // A repeated element would make another valid list, so the list itself is repeated, which is not valid.
                at.Parent!.AddAfterSelf(new XElement(at.Parent));
                break;
            case Change.Duplicate:
                at.AddAfterSelf(new XElement(at));
                break;
            case Change.Drop:
                at.Remove();
                break;
            default:
                at.ReplaceNodes(text!.StartsWith('<') ? XElement.Parse(text) : text);
                break;
        }
        return (change, root.ToString(SaveOptions.DisableFormatting), path, change is Change.Retype && !text!.StartsWith('<') ? text : null);
    }

    private static bool IsElementOfList(XElement element) => element.Name.LocalName is "member" or "item" or "CNAME";

    private static string Turned(string name) => (char.IsUpper(name[0]) ? char.ToLowerInvariant(name[0]) : char.ToUpperInvariant(name[0])) + name[1..];

    private static string Renamed(Random lot, string name, bool isToken)
    {
        string[] near = [name + "X", "x" + name, "_" + name, name + "_"];
        return lot.GetItems(isToken ? near : [.. near, "data", "result", "message", "Error", "value"], 1)[0];
    }
}
