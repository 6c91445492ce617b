"""DuckDB behind Arrow Flight SQL: a typed stand-in for the engines that speak it (Dremio, Doris, GizmoSQL)."""
