//! The list of objects, as S3 writes it.

use domain::image::ImageKey;
use domain::ports::ListedImage;
use jiff::Timestamp;
use quick_xml::Reader;
use quick_xml::events::Event;

use crate::error::RequestError;

/// The objects on a page of a list.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct ObjectPage {
    /// The objects that are images.
    pub(crate) images: Vec<ListedImage>,
    /// The last object, if more follow.
    pub(crate) last: Option<String>,
}

/// Reads a page of `ListObjectsV2`.
pub(crate) fn parse(xml: &[u8]) -> Result<ObjectPage, RequestError> {
    let xml = std::str::from_utf8(xml).map_err(|error| RequestError::Malformed(error.into()))?;
    let mut reader = Reader::from_str(xml);
    let (mut page, mut is_truncated) = (ObjectPage::default(), false);
    let (mut element, mut text) = (String::new(), String::new());
    let (mut key, mut stored_at) = (String::new(), None);
    loop {
        match reader.read_event().map_err(|error| RequestError::Malformed(error.into()))? {
            Event::Start(start) => {
                element = start.local_name().as_ref().to_owned();
                text.clear();
            }
            // The parts of keys and times that S3 could escape are not in those of images.
            Event::Text(part) => text.push_str(&part),
            Event::End(end) => {
                match end.local_name().as_ref() {
                    name if name != element => {}
                    "Key" => key.clone_from(&text),
                    "LastModified" => stored_at = text.parse::<Timestamp>().ok(),
                    "IsTruncated" => is_truncated = text == "true",
                    _ => {}
                }
                if end.local_name().as_ref() == "Contents" {
                    let image = ImageKey::at_end_of(&key).zip(stored_at.take());
                    page.images.extend(image.map(|(key, stored_at)| ListedImage { key, stored_at }));
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    page.last = is_truncated.then_some(key);
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read() {
        let object = |key: &str| {
            format!(
                "<Contents><Key>{key}</Key><LastModified>2026-11-29T12:00:00.000Z</LastModified><ETag>&quot;x&quot;</ETag><Size>3</Size><Owner><ID>1</ID></Owner></Contents>"
            )
        };
        let key = "lamp/0123456789abcdef0123456789abcdef/front.jpg";
        let xml = |is_truncated: bool| {
            format!(
                "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><IsTruncated>{is_truncated}</IsTruncated>{}{}</ListBucketResult>",
                object(&format!("images/{key}")),
                object("images/lamp/other.txt"),
            )
        };
        let stored_at = "2026-11-29T12:00:00Z".parse().unwrap();
        let images = vec![ListedImage { key: ImageKey::at_end_of(key).unwrap(), stored_at }];
        let last = Some("images/lamp/other.txt".to_owned());
        assert_eq!(parse(xml(true).as_bytes()).unwrap(), ObjectPage { images: images.clone(), last });
        assert_eq!(parse(xml(false).as_bytes()).unwrap(), ObjectPage { images, last: None });
        assert!(parse(b"<a></b>").is_err());
    }
}
