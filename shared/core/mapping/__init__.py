"""The words maps are written in: columns, fields, transforms, references."""
