using AuditCli.Collectors.Redaction;

namespace AuditCli.Collectors.Files;

/// <summary>Finds a secret whose name is in another cell of its row, as in a register with the columns <c>setting</c> and <c>value</c>.</summary>
internal sealed class RowPairs
{
    private long _row = -1;
    private string? _name;
    private string? _value;

    /// <summary>Whether a cell and another one of the same row are the name of a secret and the secret.</summary>
    /// <param name="heading">The heading of the cell's column; null if it has none.</param>
    public bool AreCompletedBy(long row, string? heading, string cell)
    {
        if (row != _row)
            (_row, _name, _value) = (row, null, null);
        if (heading is null)
            return false;
        if (JsonPath.IsName(heading.Trim()))
            _name = NamedForms.Says(cell.Trim(), option: false) ? cell.Trim() : _name;
        else if (JsonPath.IsValue(heading.Trim()))
            _value = cell;
        return _name is not null && _value is not null && NamedForms.InMember(_name, _value);
    }
}
