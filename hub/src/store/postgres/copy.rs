//! Rows that are new, by `COPY` in its binary form: one message for any number of rows, nothing to plan, and the server
//! fills whole pages.

use crate::store::bulk::Value;
use sqlx::PgConnection;

/// What one message holds, about; the next begins a new one.
const MESSAGE_BYTES: usize = 1 << 20;
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const END: [u8; 2] = (-1_i16).to_be_bytes();
const NULL: [u8; 4] = (-1_i32).to_be_bytes();

pub(in crate::store) async fn copy<const WIDTH: usize>(
    connection: &mut PgConnection,
    table: &str,
    columns: &str,
    rows: &[[Value<'_>; WIDTH]],
) -> sqlx::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let text = format!("COPY {table} ({columns}) FROM STDIN (FORMAT binary)");
    let mut copying = connection.copy_in_raw(&text).await?;
    let mut message = HEADER.to_vec();
    for row in rows {
        write(&mut message, row);
        if message.len() >= MESSAGE_BYTES {
            copying.send(std::mem::take(&mut message)).await?;
        }
    }
    message.extend(END);
    copying.send(message).await?;
    copying.finish().await.map(drop)
}

fn write<const WIDTH: usize>(message: &mut Vec<u8>, row: &[Value<'_>; WIDTH]) {
    message.extend((WIDTH as i16).to_be_bytes());
    for value in row {
        match value {
            Value::Int(number) | Value::IntOrNull(Some(number)) => {
                message.extend(8_i32.to_be_bytes());
                message.extend(number.to_be_bytes());
            }
            Value::IntOrNull(None) | Value::TextOrNull(None) => message.extend(NULL),
            Value::Text(text) | Value::TextOrNull(Some(text)) => {
                // Texts are cut to some hundred bytes before they come here.
                message.extend((text.len() as i32).to_be_bytes());
                message.extend(text.as_bytes());
            }
        }
    }
}
